"""Short ways to load the text of a map."""

from imageswap.rules import syntax
from imageswap.rules.engine import Engine
from imageswap.rules.ruleset import Ruleset, load
from imageswap.rules.syntax import Source


def compile_map(text: str) -> Engine:
    """Compile the rules of a map, the lines with errors left out."""
    return Engine(syntax.parse(Source(text, "map"))[0])


def load_map(*texts: str) -> Ruleset:
    """Load maps as layers, named ``map1``, ``map2`` and so on."""
    return load(Source(text, f"map{number}") for number, text in enumerate(texts, 1))


def rules(*lines: str) -> str:
    """Join lines to a map."""
    return "\n".join(lines)
