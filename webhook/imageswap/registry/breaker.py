"""A circuit breaker: a registry that does not work is left alone for a while."""

from collections.abc import Callable


class Breaker:
    """Opens after ``failures`` failures in a row, and lets one trial pass after each pause."""

    def __init__(self, failures: int, pause: float, clock: Callable[[], float]) -> None:
        self._limit = failures
        self._pause = pause
        self._clock = clock
        self._failures = 0
        self._open_until: float | None = None
        self._trial = False

    def is_open(self) -> bool:
        """Whether nothing may pass now."""
        return self._open_until is not None and (self._trial or self._clock() < self._open_until)

    def enter(self) -> bool:
        """Pass, if that is allowed now; each that passes says how it went, and exactly once."""
        if self.is_open():
            return False
        self._trial = self._open_until is not None
        return True

    def succeeded(self) -> None:
        """Say that one that passed went well: the registry works."""
        self._failures = 0
        self._open_until = None
        self._trial = False

    def failed(self) -> bool:
        """Say that one that passed failed; gives whether that opened the breaker."""
        self._failures += 1
        if self._open_until is None:
            opens = self._failures >= self._limit
        else:
            # Those that passed before it opened may fail after it did, which is no news.
            opens, self._trial = self._trial, False
        if opens:
            self._open_until = self._clock() + self._pause
        return opens
