"""A cluster's own place in the machine's control groups, for the processes of its Pods."""

import time
from pathlib import Path

from local.errors import Failed

_MOUNTS = Path("/proc/self/mounts")
_REMOVE_SECONDS = 10.0


def make(label: str) -> None:
    """Make the folder that the kubelet is told to keep to.

    Args:
        label: The folder's name.
    """
    for hierarchy, kind in _hierarchies():
        if kind == "cgroup2":
            _delegate(hierarchy)
        (hierarchy / label).mkdir(exist_ok=True)


def remove(label: str) -> None:
    """Remove the folder, the processes in it having ended.

    Args:
        label: The folder's name.

    Raises:
        Failed: There is still a process in it.
    """
    deadline = time.monotonic() + _REMOVE_SECONDS
    for hierarchy, _ in _hierarchies():
        top = hierarchy / label
        while top.is_dir():
            try:
                for folder in sorted(top.rglob("*/"), reverse=True):
                    folder.rmdir()
                top.rmdir()
            except FileNotFoundError:
                continue
            except OSError as error:
                # The kernel takes a moment to let go of processes that have just been killed.
                if time.monotonic() > deadline:
                    raise Failed(f"the control group {top} cannot be removed: {error}") from error
                time.sleep(0.05)


def _hierarchies() -> list[tuple[Path, str]]:
    """Return where control groups are mounted: one place, or one for each kind of version 1."""
    found = []
    for line in _MOUNTS.read_text(encoding="utf-8").splitlines():
        _, folder, kind, *_ = line.split(" ")
        if kind in ("cgroup", "cgroup2"):
            found.append((Path(folder), kind))
    return found


def _delegate(root: Path) -> None:
    """Let folders below the root of a version 2 hierarchy have its controllers."""
    for controller in (root / "cgroup.controllers").read_text(encoding="utf-8").split():
        try:
            (root / "cgroup.subtree_control").write_text(f"+{controller}", encoding="utf-8")
        except OSError:
            # Not ours to give, as in a container; the kubelet says so if it needs that one.
            continue
