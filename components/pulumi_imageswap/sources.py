"""Reads the rules that a user gives: map files and the image swap block of a Palette pack."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from imageswap import pack as pack_file
from imageswap.rules.ruleset import Ruleset, load
from imageswap.rules.syntax import Source

PACK_NODE, PACK_FIELD = "imageSwap", "imageChange"


class InvalidRules(ValueError):
    """Says everything that is wrong with the rules, a line each."""


def load_rules(files: Sequence[str], pack: Mapping[str, Any] | None) -> Ruleset:
    """Load the layers of rules: the files in their order, then the pack, which overrides them.

    Takes paths (from the working directory) and a pack's content as it is in YAML.

    Raises:
        InvalidRules: with every error of every layer, its file, line, column and fix.
    """
    sources = [_read(path) for path in files]
    if pack is not None:
        sources.append(_from_pack(pack))
    ruleset = load(sources)
    if ruleset.errors:
        raise InvalidRules("\n".join(f"{error}\n{error.excerpt()}" for error in ruleset.errors))
    return ruleset


def _read(path: str) -> Source:
    """Read a map file, or a pack file, which is known by its content."""
    try:
        text = Path(path).read_text("utf-8")
        return pack_file.read(text, path) if pack_file.is_pack(text) else Source(text, path)
    except OSError as error:
        raise InvalidRules(f"rules: {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InvalidRules(f"rules: {path}: it is not UTF-8 text: {error}") from None
    except pack_file.InvalidPack as error:
        raise InvalidRules(f"{error.diagnostic}\n{error.diagnostic.excerpt()}") from None


def _from_pack(pack: Mapping[str, Any]) -> Source:
    """Take the map out of a pack.

    Source: Palette's documentation: ``imageSwap`` is a node at the root of the pack's YAML, and
    ``imageChange`` in it is the map's text.
    """
    place = f"{PACK_NODE}.{PACK_FIELD}"
    block = pack.get(PACK_NODE)
    if not isinstance(block, Mapping) or not isinstance(block.get(PACK_FIELD), str):
        raise InvalidRules(
            f"pack: there is no text at `{place}`; write `{PACK_NODE}:` at the root of the pack, "
            f"and in it `{PACK_FIELD}: |-` with the rules, one a line"
        )
    return Source(block[PACK_FIELD], f"pack:{place}")
