"""What there is to say about a rule map: errors and warnings with their place and their fix."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Severity(Enum):
    """How bad it is: a map with an error is not used, one with a warning is."""

    ERROR = "error"
    WARNING = "warning"


class Origin(NamedTuple):
    """Where a rule stands: the file's name as the user gave it, its line, and the line's text.

    ``indent`` is how many columns the text is moved to the right in the file itself, which is so
    for a map inside a YAML block.
    """

    file: str
    line: int
    text: str
    indent: int = 0

    def __str__(self) -> str:
        """``FILE:LINE``, as compilers write it."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One error or warning: where, what, and what to do.

    ``start`` and ``length`` give the offending part of ``origin.text``, in characters from 0.
    """

    severity: Severity
    origin: Origin
    start: int
    length: int
    message: str
    fix: str

    def __str__(self) -> str:
        """``FILE:LINE:COL: error: message; fix``, one line; columns count from 1."""
        column = self.origin.indent + self.start + 1
        text = f"{self.origin}:{column}: {self.severity.value}: {self.message}"
        return f"{text}; {self.fix}" if self.fix else text

    def excerpt(self) -> str:
        """The line of the map and, under it, a mark under the offending part."""
        # Tabs are kept in the second line, so that the mark stays under its text.
        before = "".join(c if c == "\t" else " " for c in self.origin.text[: self.start])
        return f"    {self.origin.text.rstrip()}\n    {before}{'^' * max(self.length, 1)}"


def locate(line: str, part_start: int, part_length: int) -> tuple[int, int]:
    """Find a part of a line that was read with its white space dropped.

    Takes the line as written, and the part's place and length among its non-blank characters, both
    from 0. Gives start and length in the line as written. A part past the end is at the end.
    """
    places = [i for i, c in enumerate(line) if not c.isspace()]
    if not places:
        return 0, 0
    first = places[min(part_start, len(places) - 1)]
    last = places[min(part_start + max(part_length, 1) - 1, len(places) - 1)]
    if part_start >= len(places):
        return last + 1, 1
    return first, last - first + 1
