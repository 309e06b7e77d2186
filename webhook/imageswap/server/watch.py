"""Notices when files change, mounted ones too."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

INTERVAL_SECONDS = 2.0

_Mark = tuple[tuple[int, ...] | None, ...]


async def watch(files: Sequence[Path], changed: Callable[[], None]) -> None:
    """Call ``changed`` after any of the files has changed; runs until it is cancelled.

    It looks at the files rather than at notifications: the kubelet changes what is mounted by
    moving a symbolic link of the folder.
    """
    before = _marks(files)
    while True:
        await asyncio.sleep(INTERVAL_SECONDS)
        now = _marks(files)
        # Only once they rest: a certificate and its key are written one after the other.
        if now != before:
            await asyncio.sleep(INTERVAL_SECONDS / 2)
            if _marks(files) == now:
                before = now
                changed()


def _marks(files: Sequence[Path]) -> _Mark:
    marks: list[tuple[int, ...] | None] = []
    for file in files:
        try:
            status = file.stat()
            marks.append((status.st_ino, status.st_size, status.st_mtime_ns))
        except OSError:
            marks.append(None)
    return tuple(marks)
