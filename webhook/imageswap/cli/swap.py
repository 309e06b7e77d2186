"""Print what the rules make of images, ``SOURCE<TAB>TARGET`` a line."""

import argparse
import sys
from collections.abc import Iterable

from imageswap.cli.rules import add_rules_argument, load_rules


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``swap`` on a parser."""
    add_rules_argument(parser)
    parser.add_argument(
        "images",
        nargs="*",
        metavar="IMAGE",
        help="an image as a workload names it; without any, one a line from standard input",
    )


def run(arguments: argparse.Namespace) -> int:
    """Swap images and print them; gives the exit code: 0 done, 1 where the rules have errors."""
    ruleset = load_rules(arguments.rules)
    if ruleset is None:
        return 1
    for image in arguments.images or _lines(sys.stdin):
        swap = ruleset.engine.swap(image)
        print(f"{swap.source}\t{swap.target}")
        if swap.warning:
            print(f"imageswap: warning: {swap.warning}", file=sys.stderr)
    return 0


def _lines(stream: Iterable[str]) -> Iterable[str]:
    return filter(None, map(str.strip, stream))
