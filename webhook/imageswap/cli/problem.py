"""What a command has to complain of: rules, packs, manifests and files that cannot be read."""

from dataclasses import dataclass
from typing import Self

from imageswap.rules.diagnostic import Diagnostic, Severity


@dataclass(frozen=True, slots=True)
class Problem:
    """One error or warning.

    ``line`` and ``column`` count from 1 and are None where they are not known. ``excerpt`` is the
    offending line with a mark under it, or "".
    """

    severity: Severity
    file: str
    message: str
    fix: str = ""
    line: int | None = None
    column: int | None = None
    excerpt: str = ""

    @classmethod
    def of(cls, diagnostic: Diagnostic) -> Self:
        """Take over what the reader of rules or packs found."""
        origin = diagnostic.origin
        return cls(
            diagnostic.severity,
            origin.file,
            diagnostic.message,
            diagnostic.fix,
            origin.line,
            origin.indent + diagnostic.start + 1,
            diagnostic.excerpt(),
        )

    @property
    def place(self) -> str:
        """``FILE:LINE:COL``, as far as it is known."""
        known = (part for part in (self.line, self.column) if part is not None)
        return ":".join([self.file, *map(str, known)])


class InvalidInput(Exception):
    """Ends the reading of one input; ``problem`` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def has_errors(problems: list[Problem]) -> bool:
    """Whether one of them is an error."""
    return any(problem.severity is Severity.ERROR for problem in problems)
