"""Folders made once and kept: never seen half made, never made twice at the same time."""

import fcntl
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from local.progress import Step


@contextmanager
def locked(path: Path, waiting_for: str) -> Iterator[None]:
    """Hold a lock among processes for the time of the block.

    The lock ends with the process that holds it, however that ends, so it cannot go stale.

    Args:
        path: The lock file, whose folder is made. It stays.
        waiting_for: What another holder is doing, shown while waiting for it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        with Step(f"waiting for another process: {waiting_for}") as step:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    step.tick()
                    time.sleep(0.2)
        yield


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Return a folder, making it first where it is not there yet.

    It is made under a temporary name and then renamed, so that an interruption leaves nothing.

    Args:
        folder: The folder; its name should hold a key of all that its content depends on.
        make: Fills the empty folder it is given.

    Returns:
        The folder.
    """
    if folder.is_dir():
        return folder
    with locked(folder.parent / f".{folder.name}.lock", f"making {folder.name}"):
        if not folder.is_dir():
            # Only the holder of the lock makes such folders: older ones are of killed processes.
            for stale in folder.parent.glob(f".{folder.name}.tmp-*"):
                shutil.rmtree(stale, ignore_errors=True)
            temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.tmp-", dir=folder.parent))
            try:
                make(temporary)
                temporary.chmod(0o755)
                temporary.rename(folder)
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
    return folder
