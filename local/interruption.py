"""Turning the signals that end a program into an exception, so that started things are undone."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """The program was asked to end, by Ctrl-C, a closing terminal or SIGTERM."""

    def __init__(self, number: int) -> None:
        """Keep which signal it was.

        Args:
            number: The signal's number.
        """
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.number = number


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise `Interrupted` in this block for SIGINT, SIGTERM and SIGHUP.

    Signals that are ignored (as SIGHUP under nohup) stay ignored. Outside the main thread Python
    cannot handle signals, so that nothing is changed there.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)

    with _handled(interrupt):
        yield


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put off SIGINT, SIGTERM and SIGHUP to the end of this block, for short clean-up work."""
    arrived: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        arrived.append(number)

    with _handled(remember):
        yield
    if arrived:
        signal.raise_signal(arrived[0])


@contextmanager
def _handled(handler: "signal._HANDLER") -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    before = {number: old for number, old in before.items() if old is not signal.SIG_IGN}
    try:
        for number in before:
            signal.signal(number, handler)
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
