"""Measures the server against its promises; run as ``python tests/bench/bench_server.py``.

Loads each way to run the webhook, and a webhook that does nothing on the same server, with wrk over
TLS on the loopback interface: the server on one core, wrk on another, 16 connections, one after the
other in rounds, so that what else the machine does hits all alike. Prints a table of the medians
and a verdict a promise. The exit code is 1 where one is not kept, and 3 where this machine cannot
measure. ``--fast`` takes a minute instead of six. Needs ``components`` and ``webhook`` on
PYTHONPATH, the extra ``fast``, and the Debian package wrk.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from statistics import median
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from imageswap.admission import codec
from imageswap.bundle import build
from local.certificates import Authority
from tests.bench import nothing, wrk
from tests.bench.reviews import admission_review, rules
from tests.bench.servers import Server, running
from tests.server.webhook import Files

_SIZES = {"7 KB": 7_000, "60 KB": 60_000}
_SMALL, _LARGE = _SIZES
_FEW_RULES, _MANY_RULES = 10, 10_000
_MAX_P99_RATIO, _MAX_RULES_RATIO = 2.0, 1.05
_MAX_MEMORY_MB, _MAX_GROWTH_MB = 60.0, 1.0

_BUNDLE, _FAST = "bundle", "fast"
_MANY = f"{_FAST}, {_MANY_RULES:,} rules"
_NOTHING = {_BUNDLE: f"{_BUNDLE}, nothing", _FAST: f"{_FAST}, nothing"}
# The least share of the rate of a webhook that does nothing on the same server.
_MIN_RATIOS = {_BUNDLE: 0.6, _FAST: 0.75}


class _Effort(NamedTuple):
    """How much is measured: rounds, seconds a measurement, requests before memory is judged.

    After ``most_seconds`` in all, memory is judged by the requests that there were.
    """

    rounds: int
    seconds: int
    requests: Mapping[str, int]
    most_seconds: float


# The bundle gets fewer requests, as it takes longer for them.
_FULL = _Effort(5, 2, {_BUNDLE: 250_000, _FAST: 1_000_000}, 335)
_QUICK = _Effort(2, 1, {_BUNDLE: 20_000, _FAST: 50_000}, 48)


class _Verdict(NamedTuple):
    """A promise, what was measured, and the most (or the least) that it may be."""

    promise: str
    measured: float
    bound: float
    unit: str
    is_most: bool = True

    @property
    def is_met(self) -> bool:
        return self.measured <= self.bound if self.is_most else self.measured >= self.bound

    def __str__(self) -> str:
        mark = "met    " if self.is_met else "NOT met"
        word = "at most" if self.is_most else "at least"
        measured, bound = f"{self.measured:.2f}{self.unit}", f"{self.bound:g}{self.unit}"
        return f"{mark} {self.promise}: {measured}, {word} {bound}"


class _Bench:
    """Servers, and what was measured of them, by server and size in the order of the rounds."""

    def __init__(self, servers: Mapping[str, Server], scripts: Mapping[str, Path], core: int):
        self._servers = servers
        self._scripts = scripts
        self._core = core
        self._loads: defaultdict[tuple[str, str], list[wrk.Load]] = defaultdict(list)

    def load(self, name: str, size: str, seconds: int) -> wrk.Load:
        """Load one server for some seconds."""
        return wrk.load(self._servers[name], self._scripts[size], seconds, self._core)

    def measure(self, effort: _Effort) -> None:
        """Measure every server with every size in each round."""
        for name in self._servers:
            self.load(name, _SMALL, 1)
        for _ in range(effort.rounds):
            for size, name in product(_SIZES, self._servers):
                # How the rules are found does not depend on what else is in a review.
                if (size, name) != (_LARGE, _MANY):
                    self._loads[name, size].append(self.load(name, size, effort.seconds))

    def table(self) -> Iterator[str]:
        """Give the lines of the table of medians."""
        yield (
            f"{'server':<20}{'review':>8}{'requests/s':>12}{'p50, ms':>9}{'p99, ms':>9}"
            f"{'processor, µs':>15}{'memory, MB':>12}"
        )
        for (name, size), loads in self._loads.items():
            mid = wrk.Load(*(median(values) for values in zip(*loads, strict=True)))
            yield (
                f"{name:<20}{size:>8}{mid.rate:>12,.0f}{mid.p50:>9.2f}{mid.p99:>9.2f}"
                f"{mid.processor:>15.0f}{self._servers[name].resident_mb:>12.0f}"
            )

    def verdicts(self) -> Iterator[_Verdict]:
        """Judge what was measured."""
        for name, least in _MIN_RATIOS.items():
            for size in _SIZES:
                # By processor time: what else uses the core slows both, and not in proportion.
                ratio = self._ratio(_NOTHING[name], name, size, lambda load: load.processor)
                promise = f"{name}, {size}: requests/s of the core to those of doing nothing"
                yield _Verdict(promise, ratio, least, "×", is_most=False)
        for size in _SIZES:
            ratio = self._ratio(_FAST, _NOTHING[_FAST], size, lambda load: load.p99)
            promise = f"{_FAST}, {size}: p99 to that of doing nothing"
            yield _Verdict(promise, ratio, _MAX_P99_RATIO, "×")
        ratio = self._ratio(_MANY, _FAST, _SMALL, lambda load: load.processor)
        promise = f"{_MANY_RULES:,} rules: processor time to that of {_FEW_RULES}"
        yield _Verdict(promise, ratio, _MAX_RULES_RATIO, "×")

    def memory(self, name: str, wanted: int, seconds: int, deadline: float) -> Iterator[_Verdict]:
        """Judge the memory of a server after so many more requests, on new connections by turns."""
        requests, server = 0, self._servers[name]
        half = 0.0
        while requests < wanted and time.monotonic() < deadline:
            requests += int(self.load(name, _SMALL, seconds).requests)
            if not half and requests >= wanted / 2:
                half = server.resident_mb
        memory = server.resident_mb
        promise = f"{name}: memory after {requests:,} more requests"
        yield _Verdict(promise, memory, _MAX_MEMORY_MB, " MB")
        growth = memory - half if half else 0.0
        yield _Verdict(f"{name}: its growth in the second half", growth, _MAX_GROWTH_MB, " MB")

    def _ratio(self, one: str, other: str, size: str, of: Callable[[wrk.Load], float]) -> float:
        """Give the median of the ratios in each round."""
        pairs = zip(self._loads[one, size], self._loads[other, size], strict=True)
        return median(of(first) / of(second) for first, second in pairs)


def _commands(archive: Path) -> dict[str, list[str]]:
    """Give what starts each server; the bundle runs as it does in a cluster, with nothing else."""
    bundle = [sys.executable, "-I", "-S"]
    fast = [sys.executable, "-m", "imageswap", "serve"]
    return {
        _BUNDLE: [*bundle, str(archive)],
        _NOTHING[_BUNDLE]: [*bundle, nothing.__file__, str(archive)],
        _FAST: fast,
        _NOTHING[_FAST]: [sys.executable, nothing.__file__, "-"],
        _MANY: fast,
    }


def _files(folder: Path, count: int, authority: Authority) -> Files:
    folder.mkdir()
    files = Files(folder)
    files.rules.write_text(rules(count))
    files.write_pair(authority)
    return files


def _run(effort: _Effort, folder: Path, server_core: int, wrk_core: int) -> bool:
    """Measure and print; say whether all promises are kept."""
    started = time.monotonic()
    authority = Authority.make(folder / "authority")
    few = _files(folder / "few", _FEW_RULES, authority)
    many = _files(folder / "many", _MANY_RULES, authority)
    archive = folder / "imageswap.pyz"
    archive.write_bytes(build().content)
    scripts = {
        size: wrk.script(folder, str(count), admission_review(count))
        for size, count in _SIZES.items()
    }
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(
                running(name, command, many if name == _MANY else few, server_core)
            )
            for name, command in _commands(archive).items()
        }
        bench = _Bench(servers, scripts, wrk_core)
        bench.measure(effort)
        print(*bench.table(), sep="\n", flush=True)
        verdicts = list(bench.verdicts())
        print(*verdicts, sep="\n", flush=True)
        for name, wanted in effort.requests.items():
            deadline = started + effort.most_seconds
            judged = list(bench.memory(name, wanted, 2 * effort.seconds, deadline))
            print(*judged, sep="\n", flush=True)
            verdicts += judged
    return all(verdict.is_met for verdict in verdicts)


def _lacking(cores: Sequence[int]) -> str:
    """Say what this machine lacks, and how to get it; "" where nothing."""
    if not wrk.is_installed():
        return f"{wrk.PACKAGE} is not on PATH. To install it: apt install {wrk.PACKAGE}"
    if codec.NAME != "orjson":
        return "the extra `fast` is not installed. To install it: pip install '.[fast]'"
    if len(cores) < 2:
        return "there is one core only, and the load needs another than the server"
    return ""


def main() -> int:
    """Measure, print, and give the exit code."""
    parser = argparse.ArgumentParser(description="Measures the server against its promises.")
    parser.add_argument("--fast", action="store_true", help="take one minute, and fewer samples")
    effort = _QUICK if parser.parse_args().fast else _FULL
    cores = sorted(os.sched_getaffinity(0))
    lacking = _lacking(cores)
    if lacking:
        print(f"Skipped, nothing is measured: {lacking}", file=sys.stderr)
        return 3
    with tempfile.TemporaryDirectory(prefix="imageswap-bench-") as folder:
        return 0 if _run(effort, Path(folder), cores[0], cores[1]) else 1


if __name__ == "__main__":
    sys.exit(main())
