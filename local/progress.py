"""Progress lines on stderr for work that takes longer than two seconds."""

import os
import sys
import time
from types import TracebackType
from typing import Self

_QUIET_SECONDS = 2.0
_PLAIN_INTERVAL_SECONDS = 15.0
_GREEN, _RED, _OFF = "\033[32m", "\033[31m", "\033[0m"


def say(message: str) -> None:
    """Print one line on stderr.

    Args:
        message: The line, without its end.
    """
    print(message, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Write a duration the way a person says it.

    Args:
        seconds: The duration.

    Returns:
        For instance ``8s`` or ``2m10s``.
    """
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


class Step:
    """One piece of work, shown with the time it has taken.

    On a terminal its line is updated in place; elsewhere, as in a CI log, a line is added every
    fifteen seconds. Work that ends within two seconds is not shown at all.
    """

    def __init__(self, label: str) -> None:
        """Name the work.

        Args:
            label: What is being done, such as ``building kube-apiserver``.
        """
        self._label = label
        self._in_place = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._colours = self._in_place and not os.environ.get("NO_COLOR")
        self._begin = time.monotonic()
        self._shown_at = 0.0

    def __enter__(self) -> Self:
        self._begin = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None and not self._shown_at:
            return
        word, colour = ("done in", _GREEN) if kind is None else ("failed after", _RED)
        if kind is not None and not issubclass(kind, Exception):
            word = "interrupted after"
        outcome = f"{word} {duration(time.monotonic() - self._begin)}"
        if self._colours:
            outcome = f"{colour}{outcome}{_OFF}"
        start = "\r\033[K" if self._in_place else ""
        say(f"{start}{self._label} … {outcome}")

    def tick(self) -> None:
        """Show the time taken so far; to be called several times a second while working."""
        now = time.monotonic()
        elapsed = now - self._begin
        if elapsed < _QUIET_SECONDS:
            return
        interval = 1.0 if self._in_place else _PLAIN_INTERVAL_SECONDS
        if self._shown_at and now - self._shown_at < interval:
            return
        self._shown_at = now
        line = f"{self._label} … {duration(elapsed)}"
        if self._in_place:
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        else:
            say(line)
