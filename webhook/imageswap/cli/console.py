"""What people see: colours on a terminal, and errors and warnings with their excerpts."""

import os
import sys
from collections.abc import Iterable
from enum import Enum
from typing import TextIO

from imageswap.cli.problem import Problem
from imageswap.rules.diagnostic import Severity


class Style(Enum):
    """What a text is to be seen as, by its SGR code (ECMA-48)."""

    ERROR = "1;31"
    WARNING = "1;33"
    NEW = "32"
    OLD = "31"
    HEADING = "1"
    ASIDE = "2"


_BY_SEVERITY = {Severity.ERROR: Style.ERROR, Severity.WARNING: Style.WARNING}


def paint(text: str, style: Style, stream: TextIO | None = None) -> str:
    """Colour a text for a stream (standard output, by default) that is a terminal.

    Gives it as it is elsewhere, and where ``NO_COLOR`` is set (https://no-color.org).
    """
    if not _takes_colours(stream or sys.stdout):
        return text
    return f"\033[{style.value}m{text}\033[0m"


def complain(problems: Iterable[Problem]) -> None:
    """Print errors and warnings on standard error: ``FILE:LINE:COL: error: what; how to fix``."""
    for problem in problems:
        style = _BY_SEVERITY[problem.severity]
        place = paint(f"{problem.place}:", Style.HEADING, sys.stderr)
        severity = paint(f"{problem.severity.value}:", style, sys.stderr)
        fix = f"; {problem.fix}" if problem.fix else ""
        print(f"{place} {severity} {problem.message}{fix}", file=sys.stderr)
        if problem.excerpt:
            line, _, mark = problem.excerpt.rpartition("\n")
            print(f"{line}\n{paint(mark, style, sys.stderr)}", file=sys.stderr)


def count(number: int, noun: str) -> str:
    """Say how many there are: ``1 image``, ``2 images``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _takes_colours(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
