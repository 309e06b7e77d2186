"""Runs wrk, which loads an HTTP server on this machine."""

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.bench.servers import Server

CONNECTIONS = 16
PACKAGE = "wrk"
_MARK = "measured:"
# Source: wrk's SCRIPTING file. Times are in microseconds.
_SCRIPT = """
local file = assert(io.open("{body}", "rb"))
wrk.body = file:read("*a")
file:close()
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
function done(summary, latency, requests)
  local e = summary.errors
  local errors = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format("{mark} %d %d %d %f %f\\n", summary.requests, summary.duration, errors,
    latency:percentile(50), latency:percentile(99)))
end
"""


class Load(NamedTuple):
    """What one run measured; times in milliseconds, but the processor's in microseconds."""

    requests: int
    rate: float
    p50: float
    p99: float
    processor: float


def is_installed() -> bool:
    """Say whether wrk can be run."""
    return shutil.which(PACKAGE) is not None


def script(folder: Path, name: str, body: bytes) -> Path:
    """Write the script that sends a body, into a folder; gives its path."""
    body_file = folder / f"{name}.json"
    body_file.write_bytes(body)
    path = folder / f"{name}.lua"
    path.write_text(_SCRIPT.format(body=body_file, mark=_MARK))
    return path


def load(server: Server, script: Path, seconds: int, core: int) -> Load:
    """Load a server for some seconds from another core, and empty its log.

    Raises ``RuntimeError`` where a request fails: then the rates mean nothing.
    """
    before = server.processor_seconds
    done = subprocess.run(
        [
            "taskset",
            "--cpu-list",
            str(core),
            PACKAGE,
            "--threads=1",
            f"--connections={CONNECTIONS}",
            f"--duration={seconds}",
            f"--script={script}",
            f"https://127.0.0.1:{server.port}/mutate",
        ],
        capture_output=True,
        text=True,
        timeout=seconds + 30,
        check=True,
    )
    processor = server.processor_seconds - before
    server.forget_log()
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(_MARK)]
    requests, microseconds, errors, p50, p99 = map(float, line.removeprefix(_MARK).split())
    if errors or not requests:
        raise RuntimeError(f"{server.name}: {errors:.0f} of {requests:.0f} requests failed")
    return Load(
        requests=int(requests),
        rate=requests / microseconds * 1e6,
        p50=p50 / 1000,
        p99=p99 / 1000,
        processor=processor / requests * 1e6,
    )
