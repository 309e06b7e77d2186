"""Says in words why the rules leave an image alone."""

from imageswap.rules import reference
from imageswap.rules.engine import Engine, Swap
from imageswap.rules.reference import Reference
from imageswap.rules.rule import Kind, Rule
from imageswap.rules.target import Target


def why_left(engine: Engine, swap: Swap) -> str:
    """Say why an image stays as it is.

    Takes the rules and what they made of the image; gives "" where they changed it.
    """
    if swap.changed:
        return ""
    if swap.warning:
        return swap.warning.removeprefix(f"{swap.source} is left as it is: ")
    parsed = reference.parse(swap.source)
    if parsed is None and swap.rule is None:
        return f"not an image reference: {reference.explain(swap.source)}"
    rule = swap.rule
    if rule is None:
        return "no rule applies, and there is no `default`"
    if rule.kind is Kind.NOSWAP:
        word = next(word for word in rule.target.split(",") if word and word in swap.source)
        return f"it contains `{word}` of {named(rule)}"
    if not rule.target:
        return f"{named(rule)} leaves it alone"
    owner = _owner(engine, parsed, swap, rule)
    return f"it stands under the target of {named(owner)} already"


def named(rule: Rule) -> str:
    """Name a rule with its place."""
    return f"`{rule.text}` ({rule.origin})"


def _owner(engine: Engine, image: Reference | None, swap: Swap, first: Rule) -> Rule:
    """Find the rule under whose target an image stands, beginning with the one that applies."""
    for rule in (first, *engine.rules):
        if rule.kind is Kind.EXACT:
            if rule.target == swap.source:
                return rule
        elif _is_under(rule, image):
            return rule
    return first


def _is_under(rule: Rule, image: Reference | None) -> bool:
    if rule.kind is Kind.NOSWAP or not rule.target or image is None:
        return False
    return Target(rule.target).covers(image)
