"""Servers to be measured: started on one core, looked at, and ended."""

import http.client
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.server.webhook import ENVIRONMENT, Files

_START_SECONDS = 30.0
_END_SECONDS = 5.0


@dataclass(frozen=True)
class Server:
    """A running server.

    ``pid`` is its process, ``port`` that of its TLS on the loopback interface, ``log`` the file of
    what it prints.
    """

    name: str
    pid: int
    port: int
    log: Path

    @property
    def resident_mb(self) -> float:
        """The memory that it occupies, in MB (proc(5): VmRSS)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1024

    @property
    def processor_seconds(self) -> float:
        """How long it has been on a processor (the kernel's ``sched-stats``: the first field)."""
        return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[0]) / 1e9

    def forget_log(self) -> None:
        """Empty its log, which would otherwise fill the disk."""
        os.truncate(self.log, 0)


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    files: Files,
    core: int,
    environment: Mapping[str, str] = ENVIRONMENT,
) -> Iterator[Server]:
    """Run a server until the end of the block.

    Takes its name, what starts it before the webhook's options, the files for these, and the core
    to keep it on. Raises ``TimeoutError`` where it does not get ready.
    """
    port, metrics_port = _free_ports()
    log = files.folder / f"{name}.log"
    options = [*files.options(), f"--port={port}", f"--metrics-port={metrics_port}"]
    # For appending: else the log would go on where it was before it was emptied.
    with log.open("ab") as stream:
        process = subprocess.Popen(
            ["taskset", "--cpu-list", str(core), *command, *options],
            stdout=stream,
            stderr=stream,
            env=dict(environment),
        )
    try:
        server = Server(name, process.pid, port, log)
        _wait_until_ready(server, files)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for free in (one, other):
            free.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _wait_until_ready(server: Server, files: Files) -> None:
    context = ssl.create_default_context(cafile=files.authority)
    deadline = time.monotonic() + _START_SECONDS
    while True:
        connection = http.client.HTTPSConnection(
            "127.0.0.1", server.port, context=context, timeout=5
        )
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        if time.monotonic() > deadline:
            raise TimeoutError(f"{server.name} does not get ready:\n{server.log.read_text()}")
        time.sleep(0.05)
