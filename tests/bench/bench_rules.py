"""Measures the rules engine against its promises; run as ``python tests/bench/bench_rules.py``.

Prints a table of microseconds a swap by kind and number of rules, the seconds to load 100,000 rules
of each kind, and a verdict a promise. Exits with 1 where one is not kept. ``--fast`` takes fewer
samples. Times are of the processor. Needs ``components`` and ``webhook`` on PYTHONPATH.
"""

import gc
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from itertools import cycle, islice
from typing import NamedTuple

import pyperf  # type: ignore[import-untyped]

from imageswap.rules.engine import Engine
from imageswap.rules.ruleset import Ruleset, load
from imageswap.rules.syntax import Source

_SIZES = (10, 1_000, 100_000)
_MAX_RATIO = 2.0
_MAX_LOAD_SECONDS = 2.0
_MAX_SWAP_MICROSECONDS = 5.0
_LOOPS = 2_000

_DIGEST = "@sha256:" + "0123456789abcdef" * 4


class _Kind(NamedTuple):
    """The line of the rule with a number, and the image that it was written for."""

    line: Callable[[int], str]
    image: Callable[[int], str]


class _Verdict(NamedTuple):
    """A promise, what was measured, and the most that it may be."""

    promise: str
    measured: float
    most: float
    unit: str

    @property
    def is_met(self) -> bool:
        return self.measured <= self.most

    def __str__(self) -> str:
        mark = "met    " if self.is_met else "NOT met"
        return f"{mark} {self.promise}: {self.measured:.2f}{self.unit} of {self.most:g}{self.unit}"


_KINDS: Mapping[str, _Kind] = {
    "EXACT": _Kind(
        lambda n: f"[EXACT]quay.io/team{n}/app:1.{n}::harbor.example/team{n}/app:1.{n}",
        lambda n: f"quay.io/team{n}/app:1.{n}",
    ),
    "REPLACE": _Kind(
        lambda n: f"[REPLACE]quay.io/team{n}/*::harbor.example/team{n}",
        lambda n: f"quay.io/team{n}/app:1.2.3",
    ),
    "registry": _Kind(
        lambda n: f"registry{n}.example::harbor.example/registry{n}",
        lambda n: f"registry{n}.example/team/app:1.2.3",
    ),
    "path": _Kind(
        lambda n: f"quay.io/team{n}::harbor.example/team{n}",
        lambda n: f"quay.io/team{n}/app:1.2.3",
    ),
}

_HANDFUL = "\n".join(
    (
        "default::harbor.example/all",
        "docker.io::harbor.example/hub",
        "quay.io::harbor.example/quay",
        "gcr.io::harbor.example/gcr",
        "[EXACT]quay.io/team/tool:1.0::harbor.example/tools/tool:1.0",
    )
)
_HANDFUL_IMAGES = (
    "nginx",
    "nginx:1.25",
    "bitnami/redis:7",
    "docker.io/library/busybox:1.36",
    "quay.io/team/app:1.2.3",
    "quay.io/team/tool:1.0",
    f"gcr.io/project/app{_DIGEST}",
    f"registry.k8s.io/pause:3.9{_DIGEST}",
    "ghcr.io/owner/project/app:latest",
    "harbor.example/hub/nginx:1.25",
)


def _load(kind: _Kind, size: int) -> tuple[Ruleset, float]:
    """Load a map; give it with the seconds of processor time that this took."""
    text = "\n".join(["default::harbor.example/all", *map(kind.line, range(size))])
    start = time.process_time()
    ruleset = load([Source(text, "map")])
    seconds = time.process_time() - start
    if ruleset.diagnostics:
        raise AssertionError(f"the map should be sound: {ruleset.diagnostics[0]}")
    return ruleset, seconds


def _time_swaps(loops: int, engine: Engine, images: Sequence[str]) -> float:
    """Swap images in turn; give the seconds of processor time that this took."""
    swap = engine.swap
    turns = list(islice(cycle(images), loops))
    start = time.process_time()
    for image in turns:
        swap(image)
    return time.process_time() - start


def _measure(runner: pyperf.Runner, name: str, engine: Engine, images: Sequence[str]) -> float:
    """Give the microseconds of one swap."""
    with redirect_stdout(StringIO()):
        bench = runner.bench_time_func(name, _time_swaps, engine, images)
    # The least: what else the machine does makes some samples slower, and none faster.
    return float(min(bench.get_values())) * 1e6


def _measure_kind(runner: pyperf.Runner, name: str, kind: _Kind, loads: int) -> Iterator[_Verdict]:
    """Print a line of the table for each number of rules, loaded some times."""
    least = slowest = seconds = 0.0
    for size in _SIZES:
        seconds = min(_load(kind, size)[1] for _ in range(loads))
        ruleset, _ = _load(kind, size)
        images = [kind.image(n * size // 10) for n in range(10)]
        microseconds = _measure(runner, f"{name}-{size}", ruleset.engine, images)
        least = least or microseconds
        ratio = microseconds / least
        slowest = max(slowest, ratio)
        print(f"{name:10}{size:>10,}{microseconds:>12.2f}{ratio:>14.2f}{seconds:>10.2f}")
        del ruleset
        gc.collect()
    yield _Verdict(f"{name}: a swap with more rules takes as long", slowest, _MAX_RATIO, "×")
    yield _Verdict(f"{name}: {_SIZES[-1]:,} rules load", seconds, _MAX_LOAD_SECONDS, " s")


def _measure_handful(runner: pyperf.Runner) -> _Verdict:
    engine = load([Source(_HANDFUL, "map")]).engine
    each = [_measure(runner, image, engine, [image]) for image in _HANDFUL_IMAGES]
    for image, microseconds in zip(_HANDFUL_IMAGES, each, strict=True):
        print(f"{microseconds:>32.2f}  {image}")
    mean = sum(each) / len(each)
    return _Verdict("a handful of rules: a swap, on average", mean, _MAX_SWAP_MICROSECONDS, " µs")


def main() -> int:
    """Measure, print, and give the exit code."""
    is_fast = sys.argv[1:] == ["--fast"]
    # In this process: to load the maps anew in each of many would take most of the time.
    runner = pyperf.Runner(values=5 if is_fast else 20, warmups=1, loops=_LOOPS, processes=1)
    runner.parse_args(["--worker"])
    print(f"{'kind':10}{'rules':>10}{'µs a swap':>12}{'to 10 rules':>14}{'load, s':>10}")
    verdicts = [
        verdict
        for name, kind in _KINDS.items()
        for verdict in _measure_kind(runner, name, kind, loads=1 if is_fast else 3)
    ]
    verdicts.append(_measure_handful(runner))
    print(*verdicts, sep="\n")
    return 0 if all(verdict.is_met for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
