"""Finds what is wrong with rules taken together: cycles, chains, and rules that never apply."""

import re
from bisect import bisect_left
from collections.abc import Iterable
from functools import cached_property

from imageswap.rules import reference
from imageswap.rules.diagnostic import Diagnostic, Severity, locate
from imageswap.rules.engine import Engine, Step, Swap
from imageswap.rules.glob import GlobIndex
from imageswap.rules.rule import DEFAULT_KEY, Kind, Rule
from imageswap.rules.target import Target

# A repository name that no rule was written for, to see what becomes of images in general.
_PROBE = "imageswap-probe"
_PROBE_REGISTRY = f"{_PROBE}.invalid"
# One of a set of characters in a pattern, with the first of the set.
_BRACKETS = re.compile(r"\[!?(.)[^\]]*\]")


def analyse(engine: Engine) -> list[Diagnostic]:
    """Look at compiled rules as a whole.

    Gives an error for each cycle, and a warning for each chain, for each rule that can never
    apply, and for the lack of a ``default``; in the order of the rules.
    """
    found: list[Diagnostic] = []
    if engine.rules and not any(rule.kind is Kind.DEFAULT for rule in engine.rules):
        found.append(_no_default(engine.rules[-1]))
    prefixes = _Prefixes(engine.rules)
    shadows = _Shadows(engine.rules)
    cycles: set[frozenset[Rule]] = set()
    for place, rule in enumerate(engine.rules):
        swap = engine.swap(_sample(rule))
        # No other rule takes all images of one that decides about its sample.
        shadow = shadows.over(rule, place) if swap.rule is not rule else None
        if shadow is not None:
            found.append(_shadowed(rule, shadow))
        elif prefixes.leaves_what_nothing_swaps(rule):
            found.append(_needless(rule))
        if swap.cycle:
            rules = frozenset(step.rule for step in swap.cycle)
            if rules not in cycles:
                cycles.add(rules)
                found.append(_cycle(swap.cycle))
            continue
        if len(swap.steps) == 1:
            below = prefixes.below(rule)
            swap = engine.swap(below) if below is not None else swap
        if len(swap.steps) > 1 and swap.rule is rule:
            found.append(_chain(swap))
    return found


def _no_default(last: Rule) -> Diagnostic:
    return _about(
        last,
        Severity.WARNING,
        "no `default` rule: without one only [EXACT] and [REPLACE] rules swap anything",
        f"add `{DEFAULT_KEY}::` to leave all other images alone, or `{DEFAULT_KEY}::TARGET`",
    )


def _sample(rule: Rule) -> str:
    """Give an image that the rule was written for, with a name that no other rule names."""
    if rule.kind is Kind.EXACT:
        return rule.key
    if rule.kind is Kind.PREFIX:
        return f"{rule.key}/{_PROBE}"
    if rule.kind is Kind.REPLACE:
        text = _BRACKETS.sub(r"\1", rule.key) if "[" in rule.key else rule.key
        return text.replace("*", _PROBE).replace("?", "x")
    return f"{_PROBE_REGISTRY}/{_PROBE}"


class _Prefixes:
    """The registry and path rules by their keys, to ask what stands below and above one."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        default = next((rule for rule in rules if rule.kind is Kind.DEFAULT), None)
        self._default_swaps = default is not None and default.target != ""
        self._rules = {rule.key: rule for rule in rules if rule.kind is Kind.PREFIX}
        self._keys = sorted(self._rules)
        self._hosts_with_ports = {
            host
            for host, port in (
                reference.split_port(key.partition("/")[0]) for key in self._keys if ":" in key
            )
            if port
        }

    def below(self, rule: Rule) -> str | None:
        """Give an image of this rule that a rule with a path below its target would take next."""
        if rule.kind is not Kind.PREFIX:
            return None
        below = f"{Target(rule.target).normal}/"
        at = bisect_left(self._keys, below)
        if at == len(self._keys) or not self._keys[at].startswith(below):
            return None
        return f"{rule.key}/{self._keys[at][len(below) :]}/{_PROBE}"

    def leaves_what_nothing_swaps(self, rule: Rule) -> bool:
        """Whether an exception excepts from nothing: the next rule in line leaves its images too.

        False where that is not the same for all its images.
        """
        if rule.kind is Kind.NOSWAP:
            return not self._default_swaps
        if rule.kind is not Kind.PREFIX or rule.target:
            return False
        registry, _, path = rule.key.partition("/")
        host, port = reference.split_port(registry)
        if not port and host in self._hosts_with_ports:
            return False
        following = self._next(host, port, path)
        return not self._default_swaps if following is None else following.target == ""

    def _next(self, host: str, port: str, path: str) -> Rule | None:
        """Give the rule that would apply to the images of a key if that key's rule did not."""
        registries = [host + port, host] if port else [host]
        passed = 1
        while True:
            for registry in registries[passed:]:
                rule = self._rules.get(f"{registry}/{path}" if path else registry)
                if rule is not None:
                    return rule
            if not path:
                return None
            path, passed = path.rpartition("/")[0], 0


class _Shadows:
    """The [REPLACE] rules, to ask whether one of them takes every image of another rule."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._rules = rules

    @cached_property
    def _plain(self) -> GlobIndex[tuple[int, Rule]]:
        """Those whose wildcards are all ``*``, with their places; made when first needed."""
        plain: GlobIndex[tuple[int, Rule]] = GlobIndex()
        for place, rule in enumerate(self._rules):
            if rule.kind is Kind.REPLACE and "?" not in rule.key and "[" not in rule.key:
                plain.add(rule.key, (place, rule))
        return plain

    def over(self, rule: Rule, place: int) -> Rule | None:
        """Give the [REPLACE] rule that leaves nothing to the rule at a place in file order."""
        if rule.kind is Kind.EXACT:
            return None
        if rule.kind is Kind.REPLACE:
            # A pattern is itself matched by one whose wildcards are all `*` exactly if everything
            # that it matches is. What is in brackets must not match as text: it is one of many.
            earlier, shadow = self._plain.first(_BRACKETS.sub("?", rule.key)) or (place, None)
            return shadow if earlier < place else None
        if rule.kind is Kind.PREFIX:
            registry, _, path = rule.key.partition("/")
            if registry != reference.DOCKER_HUB:
                return self._over_prefix(registry, path)
        return self._taking([""])

    def _over_prefix(self, registry: str, path: str) -> Rule | None:
        # All spellings must be taken: with another port, and with a tag or a path behind.
        ports = [registry] if reference.split_port(registry)[1] else [registry, f"{registry}:*"]
        ends = ["/*"] if not path else [f"/{path}", f"/{path}:*", f"/{path}@*", f"/{path}/*"]
        return self._taking(port + end for port in ports for end in ends)

    def _taking(self, patterns: Iterable[str]) -> Rule | None:
        """Give the rule that takes the first of some patterns where all of them are taken."""
        found = [self._plain.first(pattern) for pattern in patterns]
        return found[0][1] if all(found) and found[0] is not None else None


def _cycle(steps: tuple[Step, ...]) -> Diagnostic:
    rules = list(dict.fromkeys(step.rule for step in steps))
    first = min(rules, key=lambda rule: rule.origin.line)
    lines = ", ".join(f"`{rule.text}` ({rule.origin})" for rule in rules)
    return _about(
        first,
        Severity.ERROR,
        f"these rules send images round in a cycle: {lines}",
        "change the target of one of them",
    )


def _chain(swap: Swap) -> Diagnostic:
    rule, following = swap.steps[0].rule, swap.steps[1].rule
    images = " → ".join([swap.source, *(step.image for step in swap.steps)])
    return _about(
        rule,
        Severity.WARNING,
        f"the target of `{rule.text}` is the source of `{following.text}` ({following.origin}), so "
        f"images go the whole way, such as {images}",
        "write the last target in the first rule, if that is meant",
    )


def _shadowed(rule: Rule, shadow: Rule) -> Diagnostic:
    return _about(
        rule,
        Severity.WARNING,
        f"`{rule.text}` never applies: `{shadow.text}` ({shadow.origin}) takes all its images",
        "delete it, or narrow the pattern",
    )


def _needless(rule: Rule) -> Diagnostic:
    return _about(
        rule,
        Severity.WARNING,
        f"`{rule.text}` leaves alone what no rule would swap anyway",
        "delete it",
    )


def _about(rule: Rule, severity: Severity, message: str, fix: str) -> Diagnostic:
    compact = "".join(rule.origin.text.partition("#")[0].split())
    start, length = locate(rule.origin.text, 0, len(compact))
    return Diagnostic(severity, rule.origin, start, length, message, fix)
