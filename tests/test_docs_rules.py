"""Every example of the documentation of rules, run against the engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from imageswap.rules.ruleset import Ruleset, load
from imageswap.rules.syntax import Source

DOCS = Path(__file__).parents[1] / "docs"
SWAPS = ("map", "image", "result")
LAYERS = ("layers", "image", "result")
DEFECTS = ("map", "image", "there", "here")


def tables(name: str, heading: tuple[str, ...]) -> Iterator[list[Token]]:
    """Give the rows of each table that has these headings, as the tokens of their cells."""
    tokens = MarkdownIt().enable("table").parse((DOCS / name).read_text("utf-8"))
    row: list[Token] = []
    wanted = False
    for token in tokens:
        if token.type == "tr_open":
            row = []
        elif token.type == "inline":
            row.append(token)
        elif token.type == "thead_close":
            wanted = tuple(cell.content for cell in row) == heading
        elif token.type == "tr_close" and row[0].level and wanted:
            yield row
        elif token.type == "table_close":
            wanted = False


def code(cell: Token) -> list[str]:
    """Give the pieces of code in a cell."""
    return [child.content for child in cell.children or () if child.type == "code_inline"]


def rows(name: str, heading: tuple[str, ...]) -> list[tuple[list[str], ...]]:
    return [tuple(map(code, row)) for row in tables(name, heading)]


def ruleset(*maps: str) -> Ruleset:
    return load(Source(text.replace(";", "\n"), f"{i}.map") for i, text in enumerate(maps))


@pytest.mark.parametrize(
    ("maps", "image", "result"),
    [*rows("rules.md", SWAPS), *rows("rules.md", LAYERS), *rows("migrating.md", SWAPS)],
)
def test_swaps(maps: list[str], image: list[str], result: list[str]) -> None:
    loaded = ruleset(*maps)
    assert not loaded.errors
    swap = loaded.engine.swap(image[0])
    assert [swap.target] == result
    assert loaded.engine.swap(swap.target).target == swap.target


@pytest.mark.parametrize(
    ("maps", "image", "there", "here"),
    [row for row in rows("migrating.md", DEFECTS) if row[1] and row[3]],
)
def test_differences(maps: list[str], image: list[str], there: list[str], here: list[str]) -> None:
    for one in image:
        swap = ruleset(*maps).engine.swap(one)
        assert [swap.target] == here
        assert [swap.target] != there


@pytest.mark.parametrize("row", list(tables("rules.md", ("error", "example"))))
def test_errors(row: list[Token]) -> None:
    loaded = ruleset(f"default::;{code(row[1])[0]}")
    assert len(loaded.errors) == 1


@pytest.mark.parametrize("row", list(tables("rules.md", ("warning", "example"))))
def test_warnings(row: list[Token]) -> None:
    loaded = ruleset(code(row[1])[0])
    assert not loaded.errors
    assert len(loaded.warnings) == 1


def test_there_are_as_many_examples_as_ever() -> None:
    # A heading that is misspelt would leave its table out.
    assert len(rows("rules.md", SWAPS)) > 50
    assert len(rows("rules.md", LAYERS)) >= 3
    assert len(rows("migrating.md", DEFECTS)) >= 9
    assert len(list(tables("rules.md", ("error", "example")))) >= 16
    assert len(list(tables("rules.md", ("warning", "example")))) >= 6
