"""Reads the texts that a command line names: files, and standard input as ``-``."""

import sys
from collections.abc import Iterable
from pathlib import Path

from imageswap.cli.problem import InvalidInput, Problem
from imageswap.rules.diagnostic import Severity

STDIN = Path("-")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class WrongUsage(Exception):
    """Says what is wrong with a command line that its parser let through."""


def read_text(path: Path) -> str:
    """Read a text file, or standard input for ``-``.

    Raises:
        InvalidInput: It cannot be read, or is not UTF-8.
    """
    try:
        content = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        raise InvalidInput(
            Problem(Severity.ERROR, shown(path), f"cannot read it: {error.strerror}")
        ) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # What a Windows PowerShell `>` writes.
        encoding = "UTF-16" if content.startswith(_UTF16_MARKS) else "another encoding"
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        raise InvalidInput(
            Problem(
                Severity.ERROR,
                shown(path),
                f"it is not UTF-8 text: byte 0x{content[error.start]:02x} is of {encoding}",
                "save it as UTF-8",
                line,
                column,
            )
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def shown(path: Path) -> str:
    """Give a file's name for messages."""
    return "<stdin>" if path == STDIN else str(path)


def lines(text: str) -> list[str]:
    """Give the lines of a list, without blanks at their ends and without empty ones."""
    return list(filter(None, map(str.strip, text.split("\n"))))


def require_one_stdin(paths: Iterable[Path]) -> None:
    """See to it that standard input is read for one thing only.

    Raises:
        WrongUsage: ``-`` is there twice.
    """
    if sum(path == STDIN for path in paths) > 1:
        raise WrongUsage("standard input can be read once: give `-` in one place only")
