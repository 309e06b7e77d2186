"""Print what the rules make of images, ``SOURCE<TAB>TARGET`` a line."""

import argparse
import sys
from collections.abc import Iterable

from imageswap.cli import layers, output
from imageswap.cli.console import Style, complain, paint
from imageswap.cli.explain import named, why_left
from imageswap.cli.inputs import STDIN, WrongUsage, require_one_stdin
from imageswap.rules.diagnostic import Severity
from imageswap.rules.engine import Engine, Swap


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``swap`` on a parser."""
    layers.add_layers_argument(parser, "--rules", "the rules")
    parser.add_argument(
        "--explain",
        action="store_true",
        help="under each image, print the rules that swapped it and where they stand, or why it "
        "is left alone",
    )
    output.add_output_argument(parser)
    parser.add_argument(
        "images",
        nargs="*",
        metavar="IMAGE",
        help="an image as a workload names it; without any, one a line from standard input",
    )


def run(arguments: argparse.Namespace) -> int:
    """Swap images and print them; gives the exit code: 0 done, 1 where the rules have errors."""
    require_one_stdin(arguments.rules)
    if STDIN in arguments.rules and not arguments.images:
        raise WrongUsage("standard input holds the rules: give the images as arguments")
    ruleset, problems = layers.load(arguments.rules)
    as_json = arguments.output == output.JSON
    if ruleset is None or not as_json:
        complain(problems)
    if ruleset is None:
        return 1
    engine = ruleset.engine
    swaps = map(engine.swap, arguments.images or _lines(sys.stdin))
    if as_json:
        output.write(
            {
                "images": [output.of_swap(engine, swap) for swap in swaps],
                "warnings": output.of_problems(problems, Severity.WARNING),
            }
        )
        return 0
    for swap in swaps:
        _print(engine, swap, explain=arguments.explain)
    return 0


def _print(engine: Engine, swap: Swap, *, explain: bool) -> None:
    target = paint(swap.target, Style.NEW) if swap.changed else swap.target
    print(f"{swap.source}\t{target}")
    if explain:
        print("\n".join(f"    {paint(line, Style.ASIDE)}" for line in _explain(engine, swap)))
    if swap.warning and (swap.changed or not explain):
        warning = paint("warning:", Style.WARNING, sys.stderr)
        print(f"imageswap: {warning} {swap.warning}", file=sys.stderr)


def _explain(engine: Engine, swap: Swap) -> list[str]:
    if swap.changed:
        return [f"{named(step.rule)} → {step.image}" for step in swap.steps]
    return [f"stays: {why_left(engine, swap)}"]


def _lines(stream: Iterable[str]) -> Iterable[str]:
    return filter(None, map(str.strip, stream))
