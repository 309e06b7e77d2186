"""Loads the rules that ``--rules`` names."""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from imageswap.cli.console import complain
from imageswap.cli.inputs import read_text, shown
from imageswap.cli.problem import InvalidInput, Problem
from imageswap.rules.ruleset import Ruleset, load
from imageswap.rules.syntax import Source


class Layers(NamedTuple):
    """The rules of several files, and what is wrong with them; None where there are errors."""

    ruleset: Ruleset | None
    problems: list[Problem]


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


def load_layers(paths: Iterable[Path], to_source: Callable[[str, str], Source]) -> Layers:
    """Load rules in layers.

    Takes the files in the order of their layers, and what makes a map of a file's text and name
    (it may raise ``InvalidInput``). Gives the rules, with every error and warning of every file.
    """
    sources, problems = [], []
    for path in paths:
        try:
            sources.append(to_source(read_text(path), shown(path)))
        except InvalidInput as error:
            problems.append(error.problem)
    ruleset = load(sources)
    usable = not problems and not ruleset.errors
    problems.extend(map(Problem.of, ruleset.diagnostics))
    return Layers(ruleset if usable else None, problems)


def load_rules(paths: Iterable[Path]) -> Ruleset | None:
    """Load rule maps and print their errors and warnings on standard error.

    Takes the files in the order of their layers; gives None where one cannot be read or is wrong.
    """
    ruleset, problems = load_layers(paths, Source)
    complain(problems)
    return ruleset
