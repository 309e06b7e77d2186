"""The patterns of [REPLACE] rules, and which of many an image matches first."""

import re
from fnmatch import translate
from typing import Generic, TypeVar

T = TypeVar("T")

_WILDCARD = re.compile(r"[*?\[]")


class GlobIndex(Generic[T]):
    """Patterns in order, each with a value, looked up by the text before their first wildcard.

    Patterns go by the rules of Python's ``fnmatch``, case-sensitive; ``*`` crosses ``/``.
    """

    def __init__(self) -> None:
        self._by_literal: dict[str, list[_Glob[T]]] = {}
        self._lengths: set[int] = set()
        self._first_components: set[str] = set()
        self._reaches_all = False
        self._count = 0

    def __len__(self) -> int:
        """The number of patterns."""
        return self._count

    def add(self, pattern: str, value: T) -> None:
        """Add a pattern behind those that are there."""
        wildcard = _WILDCARD.search(pattern)
        literal = pattern[: wildcard.start()] if wildcard else pattern
        glob = _Glob(pattern, len(literal), self._count, value)
        globs = self._by_literal.get(literal)
        if globs is None:
            self._by_literal[literal] = [glob]
            self._lengths.add(len(literal))
            first, slash, _ = literal.partition("/")
            if slash:
                self._first_components.add(first)
            else:
                self._reaches_all = True
        else:
            globs.append(glob)
        self._count += 1

    def reaches(self, text: str) -> bool:
        """Whether a pattern might match the text: a quick look at its first path component."""
        return self._reaches_all or text.partition("/")[0] in self._first_components

    def first(self, text: str) -> T | None:
        """Give the value of the first pattern, in the order of their adding, that matches."""
        best: _Glob[T] | None = None
        for length in self._lengths:
            for glob in self._by_literal.get(text[:length], ()):
                if best is not None and glob.place >= best.place:
                    break
                if glob.match(text):
                    best = glob
                    break
        return None if best is None else best.value


class _Glob(Generic[T]):
    """A pattern, its place in the order, and its value."""

    __slots__ = ("_literal_length", "_pattern", "_regex", "place", "value")

    def __init__(self, pattern: str, literal_length: int, place: int, value: T) -> None:
        self._pattern = pattern
        self._literal_length = literal_length
        self._regex: re.Pattern[str] | None = None
        self.place = place
        self.value = value

    def match(self, text: str) -> bool:
        """Whether the text, which is known to start with the literal, matches."""
        rest = len(self._pattern) - self._literal_length
        if rest == 0:
            return len(text) == self._literal_length
        if rest == 1 and self._pattern[-1] == "*":
            return True
        # Compiled when first needed: 100,000 regular expressions at start would take seconds.
        if self._regex is None:
            self._regex = re.compile(translate(self._pattern))
        return self._regex.match(text) is not None
