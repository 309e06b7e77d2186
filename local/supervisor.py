"""The first process of a cluster's namespaces: prepares them, starts the daemons, reaps the rest.

It runs as a script of its own and imports nothing of this package. When it ends, the kernel ends
everything else in its process namespace, and mounts and interfaces go with their namespaces.
"""

import ctypes
import json
import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND = 2, 4, 8, 4096
_STARTING_PAUSE, _IDLE_PAUSE = 0.05, 0.5


def main() -> None:
    """Do what the specification named on the command line says, for ever.

    The specification is a JSON object: ``identity``, ``ended`` and ``logs`` are where to write;
    ``mounts`` is a list of sources and targets, a missing source meaning an empty file system;
    ``commands`` are run in turn; ``daemons`` have a name, a command line and, in ``after``, the
    addresses that have to be listening before they are started.
    """
    specification = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    # Opened first: a mount may hide the source of a later one.
    sources = [
        os.open(mount["source"], os.O_PATH) if mount.get("source") else None
        for mount in specification["mounts"]
    ]
    _write_identity(Path(specification["identity"]))
    # The starter writes a line once it has recorded this process and made the network. An end of
    # file means that the starter itself has ended: then nobody knows of this process.
    if not sys.stdin.readline():
        Path(specification["identity"]).unlink(missing_ok=True)
        sys.exit("the starter ended early")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    _mount("proc", "/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    for mount, source in zip(specification["mounts"], sources, strict=True):
        # A link may lead to where a mount before this one has left nothing.
        target = Path(mount["target"]).resolve()
        if source is None:
            _mount("tmpfs", str(target), "tmpfs", _MS_NOSUID | _MS_NODEV)
        else:
            _make_mount_point(target, is_folder=stat.S_ISDIR(os.fstat(source).st_mode))
            _mount(f"/proc/self/fd/{source}", str(target), None, _MS_BIND)
            os.close(source)
    for command in specification["commands"]:
        subprocess.run(command, check=True)
    _run(specification)


def _make_mount_point(target: Path, *, is_folder: bool) -> None:
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if is_folder:
        target.mkdir()
    else:
        target.touch()


def _write_identity(path: Path) -> None:
    """Write which process this is as seen from outside: /proc is still the one of the machine."""
    pid = str(Path("/proc/self").readlink())
    status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    identity = {
        "pid": int(pid),
        # proc(5): the 22nd field; the second one may hold spaces and ends with the last ")".
        "start_time": int(status.rpartition(")")[2].split()[19]),
        "boot": Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip(),
    }
    _write_json(path, identity)


def _run(specification: dict[str, Any]) -> None:
    logs = Path(specification["logs"])
    waiting = list(specification["daemons"])
    names: dict[int, str] = {}
    ended: list[dict[str, Any]] = []
    while True:
        for daemon in list(waiting):
            if all(_listens(address) for address in daemon["after"]):
                names[_start(daemon, logs, specification["environment"])] = daemon["name"]
                waiting.remove(daemon)
        for pid, status in _reaped():
            if pid in names:
                code = os.waitstatus_to_exitcode(status)
                ended.append({"name": names.pop(pid), "code": code})
                _write_json(Path(specification["ended"]), ended)
        time.sleep(_STARTING_PAUSE if waiting else _IDLE_PAUSE)


def _start(daemon: dict[str, Any], logs: Path, environment: dict[str, str]) -> int:
    with (logs / f"{daemon['name']}.log").open("ab") as log:
        process = subprocess.Popen(
            daemon["argv"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment,
            start_new_session=True,
        )
    # It is reaped with everything else; the module must not wait for it as well.
    process.returncode = 0
    return process.pid


def _reaped() -> list[tuple[int, int]]:
    reaped: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return reaped
        if not pid:
            return reaped
        reaped.append((pid, status))


def _listens(address: str) -> bool:
    """Tell whether something listens on a TCP address or, with a slash, a Unix socket."""
    family = socket.AF_UNIX if address.startswith("/") else socket.AF_INET
    host, _, port = address.rpartition(":")
    with socket.socket(family) as probe:
        probe.settimeout(0.5)
        target = address if family == socket.AF_UNIX else (host, int(port))
        return probe.connect_ex(target) == 0


def _mount(source: str, target: str, kind: str | None, flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    type_ = kind.encode() if kind else None
    if libc.mount(source.encode(), target.encode(), type_, ctypes.c_ulong(flags), None):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), target)


def _write_json(path: Path, content: object) -> None:
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_text(json.dumps(content), encoding="utf-8")
    temporary.rename(path)


if __name__ == "__main__":
    main()
