"""Say what changes from the rules of --rules to those of --to.

With images, from manifests or a list, prints those whose target differs; without, the differences
of the rules themselves. Differences are no errors: the exit code is 0 with and without them.
"""

import argparse
from typing import Any, NamedTuple

from imageswap.cli import layers, output
from imageswap.cli.console import Style, complain, paint
from imageswap.cli.explain import named, why_left
from imageswap.cli.image_list import add_image_arguments, read_images
from imageswap.cli.inputs import require_one_stdin
from imageswap.cli.problem import Problem, has_errors
from imageswap.rules.diagnostic import Severity
from imageswap.rules.engine import Engine, Swap
from imageswap.rules.rule import Kind, Rule


class RuleChanges(NamedTuple):
    """The differences of two sets of rules, key by key.

    ``reordered`` says whether [REPLACE] rules of both stand in another order, which decides which
    of two that match applies; the order of other rules means nothing.
    """

    added: list[Rule]
    removed: list[Rule]
    changed: list[tuple[Rule, Rule]]
    reordered: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``diff`` on a parser."""
    layers.add_layers_argument(parser, "--rules", "the rules as they are")
    layers.add_layers_argument(parser, "--to", "the rules as they are to be")
    output.add_output_argument(parser)
    add_image_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compare; gives the exit code: 0 done, 1 errors in the input."""
    require_one_stdin([*arguments.rules, *arguments.to, *arguments.images, *arguments.manifests])
    old, problems = layers.load(arguments.rules)
    new, found = layers.load(arguments.to)
    problems += found
    document: dict[str, Any] = {}
    if old is None or new is None:
        complain(problems)
        return 1
    as_json = arguments.output == output.JSON
    if arguments.images or arguments.manifests:
        images, unread = read_images(arguments, (old.engine, new.engine))
        problems += unread
        changes = swap_changes(old.engine, new.engine, images)
        document["images"] = [_swaps_as_json(old.engine, new.engine, pair) for pair in changes]
        text = [_swaps_as_text(old.engine, new.engine, pair) for pair in changes]
    else:
        rules = rule_changes(old.engine.rules, new.engine.rules)
        document["rules"] = _rules_as_json(rules)
        text = _rules_as_text(rules)
    complain(_shown(problems, as_json=as_json))
    if as_json:
        output.write({**document, "warnings": output.of_problems(problems, Severity.WARNING)})
    else:
        print("".join(f"{line}\n" for line in text), end="")
    return 1 if has_errors(problems) else 0


def swap_changes(old: Engine, new: Engine, images: list[str]) -> list[tuple[Swap, Swap]]:
    """Give what both make of each image of which they make something else."""
    pairs = ((old.swap(image), new.swap(image)) for image in images)
    return [(before, after) for before, after in pairs if before.target != after.target]


def rule_changes(old: tuple[Rule, ...], new: tuple[Rule, ...]) -> RuleChanges:
    """Compare two sets of rules key by key."""
    before = {(rule.kind, rule.key): rule for rule in old}
    after = {(rule.kind, rule.key): rule for rule in new}
    replaced_before = [key for key in before if key[0] is Kind.REPLACE and key in after]
    replaced_after = [key for key in after if key[0] is Kind.REPLACE and key in before]
    return RuleChanges(
        added=[rule for key, rule in after.items() if key not in before],
        removed=[rule for key, rule in before.items() if key not in after],
        changed=[
            (rule, after[key])
            for key, rule in before.items()
            if key in after and after[key].target != rule.target
        ],
        reordered=replaced_before != replaced_after,
    )


def _shown(problems: list[Problem], *, as_json: bool) -> list[Problem]:
    """The problems to print: of JSON, the warnings are a part."""
    return [p for p in problems if p.severity is Severity.ERROR or not as_json]


def _swaps_as_text(old: Engine, new: Engine, pair: tuple[Swap, Swap]) -> str:
    before, after = pair
    targets = f"{paint(before.target, Style.OLD)} → {paint(after.target, Style.NEW)}"
    old_rule, new_rule = _decider(old, before), _decider(new, after)
    return f"{before.source}: {targets}\n    from: {old_rule}\n    to: {new_rule}"


def _decider(engine: Engine, swap: Swap) -> str:
    if swap.changed:
        return ", ".join(named(step.rule) for step in swap.steps)
    return f"stays: {why_left(engine, swap)}"


def _swaps_as_json(old: Engine, new: Engine, pair: tuple[Swap, Swap]) -> output.Json:
    before, after = pair
    return {
        "source": before.source,
        "from": output.of_swap(old, before),
        "to": output.of_swap(new, after),
    }


def _rules_as_text(changes: RuleChanges) -> list[str]:
    removed = [paint(f"- {rule.text}", Style.OLD) + f" ({rule.origin})" for rule in changes.removed]
    added = [paint(f"+ {rule.text}", Style.NEW) + f" ({rule.origin})" for rule in changes.added]
    changed = [
        f"~ {paint(old.text, Style.OLD)} → {paint(new.text, Style.NEW)} "
        f"({old.origin}, {new.origin})"
        for old, new in changes.changed
    ]
    order = ["~ the [REPLACE] rules stand in another order"] if changes.reordered else []
    return [*removed, *added, *changed, *order]


def _rules_as_json(changes: RuleChanges) -> output.Json:
    return {
        "added": [output.of_rule(rule) for rule in changes.added],
        "removed": [output.of_rule(rule) for rule in changes.removed],
        "changed": [
            {"from": output.of_rule(old), "to": output.of_rule(new)} for old, new in changes.changed
        ],
        "reordered": changes.reordered,
    }
