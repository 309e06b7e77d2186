"""Loads the rules of a command that takes packs beside maps."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from imageswap import pack
from imageswap.cli.problem import InvalidInput, Problem
from imageswap.cli.rules import Layers, load_layers
from imageswap.rules.syntax import Source


def add_layers_argument(parser: argparse.ArgumentParser, option: str, summary: str) -> None:
    """Declare an option that names layers of rules, such as ``--rules``."""
    parser.add_argument(
        option,
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help=f"{summary}: a rule map, a Palette pack YAML, or `-` for standard input; give it "
        "again for layers, of which later ones override earlier ones",
    )


def load(paths: Iterable[Path]) -> Layers:
    """Load layers, each a map or a pack by its content."""
    return load_layers(paths, _source)


def _source(text: str, file: str) -> Source:
    if not pack.is_pack(text):
        return Source(text, file)
    try:
        return pack.read(text, file)
    except pack.InvalidPack as error:
        raise InvalidInput(Problem.of(error.diagnostic)) from None
