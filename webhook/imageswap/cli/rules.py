"""Loads the rules that ``--rules`` names and prints what is wrong with them."""

import argparse
import sys
from pathlib import Path

from imageswap.rules.ruleset import Ruleset, load
from imageswap.rules.syntax import Source


def add_rules_argument(parser: argparse.ArgumentParser) -> None:
    """Declare ``--rules`` on a parser."""
    parser.add_argument(
        "--rules",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help="a rule map; give it again for layers, of which later ones override earlier ones",
    )


def load_rules(paths: list[Path]) -> Ruleset | None:
    """Load rule maps and print their errors and warnings on standard error.

    Takes the files in the order of their layers; gives None where one cannot be read or is wrong.
    """
    sources = []
    for path in paths:
        try:
            sources.append(Source(path.read_text("utf-8"), str(path)))
        except OSError as error:
            print(f"imageswap: {path}: {error.strerror}", file=sys.stderr)
            return None
        except UnicodeDecodeError as error:
            print(f"imageswap: {path}: it is not UTF-8 text: {error}", file=sys.stderr)
            return None
    ruleset = load(sources)
    for diagnostic in ruleset.diagnostics:
        print(f"{diagnostic}\n{diagnostic.excerpt()}", file=sys.stderr)
    return None if ruleset.errors else ruleset
