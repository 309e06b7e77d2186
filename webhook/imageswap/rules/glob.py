"""The patterns of [REPLACE] rules, and which of many an image matches first."""

import re
from fnmatch import translate
from typing import Generic, TypeVar

T = TypeVar("T")

_WILDCARD = re.compile(r"[*?\[]")


class Glob:
    """A pattern by the rules of Python's ``fnmatch``, case-sensitive; ``*`` crosses ``/``.

    ``literal`` is the text before its first wildcard, with which every match starts.
    """

    __slots__ = ("_regex", "literal", "pattern", "tail")

    def __init__(self, pattern: str) -> None:
        wildcard = _WILDCARD.search(pattern)
        self.pattern = pattern
        self.literal = pattern[: wildcard.start()] if wildcard else pattern
        self.tail = pattern[len(self.literal) :]
        self._regex: re.Pattern[str] | None = None

    def match(self, text: str) -> bool:
        """Whether the text, which is known to start with ``literal``, matches."""
        if self.tail == "*":
            return True
        if not self.tail:
            return len(text) == len(self.literal)
        # Compiled when first needed: 100,000 regular expressions at start would take seconds.
        if self._regex is None:
            self._regex = re.compile(translate(self.pattern))
        return self._regex.match(text) is not None


class GlobIndex(Generic[T]):
    """Patterns in order, each with a value, looked up by their literal prefixes."""

    def __init__(self) -> None:
        self._by_literal: dict[str, list[tuple[int, Glob, T]]] = {}
        self._lengths: list[int] = []
        self._count = 0

    def __len__(self) -> int:
        """The number of patterns."""
        return self._count

    def add(self, glob: Glob, value: T) -> None:
        """Add a pattern behind those that are there."""
        entries = self._by_literal.setdefault(glob.literal, [])
        if not entries and len(glob.literal) not in self._lengths:
            self._lengths.append(len(glob.literal))
        entries.append((self._count, glob, value))
        self._count += 1

    def first(self, text: str) -> T | None:
        """Give the value of the first pattern, in the order of their adding, that matches."""
        best, found = self._count, None
        for length in self._lengths:
            for order, glob, value in self._by_literal.get(text[:length], ()):
                if order >= best:
                    break
                if glob.match(text):
                    best, found = order, value
                    break
        return found
