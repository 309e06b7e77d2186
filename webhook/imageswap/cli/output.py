"""What commands print as JSON, with the keys that ``docs/rules.md`` promises."""

import argparse
import json
from collections.abc import Iterable
from typing import Any

from imageswap.cli.explain import why_left
from imageswap.cli.problem import Problem
from imageswap.rules.diagnostic import Severity
from imageswap.rules.engine import Engine, Swap
from imageswap.rules.rule import Rule

Json = dict[str, Any]

TEXT, JSON = "text", "json"


def add_output_argument(parser: argparse.ArgumentParser) -> None:
    """Declare ``--output`` on a parser."""
    parser.add_argument(
        "--output",
        choices=(TEXT, JSON),
        default=TEXT,
        help="what to print on standard output (%(default)s); errors go to standard error as text "
        "either way, warnings are part of the JSON",
    )


def write(document: Json) -> None:
    """Print a JSON document on standard output."""
    print(json.dumps(document, indent=2, ensure_ascii=False))


def of_swap(engine: Engine, swap: Swap) -> Json:
    """Give a swap as JSON.

    ``rule`` is the rule that decided first and ``steps`` are the swaps done, each with the image
    after it; ``reason`` says why an image was left, and is null for one that changed.
    """
    return {
        "source": swap.source,
        "target": swap.target,
        "changed": swap.changed,
        "rule": of_rule(swap.rule) if swap.rule else None,
        "steps": [{"rule": of_rule(step.rule), "image": step.image} for step in swap.steps],
        "reason": why_left(engine, swap) or None,
        "warning": swap.warning or None,
    }


def of_rule(rule: Rule) -> Json:
    """Give a rule as JSON, with its place."""
    return {
        "text": rule.text,
        "kind": rule.kind.value,
        "key": rule.key,
        "target": rule.target,
        "file": rule.origin.file,
        "line": rule.origin.line,
    }


def of_problems(problems: Iterable[Problem], severity: Severity) -> list[Json]:
    """Give the errors, or the warnings, as JSON."""
    return [
        {
            "file": problem.file,
            "line": problem.line,
            "column": problem.column,
            "message": problem.message,
            "fix": problem.fix or None,
        }
        for problem in problems
        if problem.severity is severity
    ]
