"""Feeds the rules language with what a fuzzer makes up.

Run as ``python tests/fuzz/fuzz_rules.py TARGET -max_total_time=SECONDS``; all options of libFuzzer
may follow. A target is ``map``, ``reference`` or ``pack``. Needs ``components`` and ``webhook`` on
PYTHONPATH.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

import atheris

with atheris.instrument_imports(include=["imageswap"]):
    from imageswap import pack
    from imageswap.rules import reference
    from imageswap.rules.ruleset import Ruleset, load
    from imageswap.rules.syntax import Source

_IMAGES = (
    "nginx",
    "nginx:1.25",
    "bitnami/redis:7",
    "quay.io/team/app:1.2.3",
    "h.io:5000/m/x",
    "localhost:5000/x",
    "docker.io/library/nginx@sha256:" + "0" * 64,
)

# The worked examples, and one of each kind of line.
_MAPS = (
    "default::\nexample.private.io::harbor.internal.example.com",
    "default::harbor.internal.example.com\nexample.private.io::",
    "default::\n[EXACT]example.private.io/demo:v1.0.0::gcr.io/google-samples/hello-app:1.0",
    "default::\n[REPLACE]ghcr.io/example*::example.private.io",
    "default::h.io/m-\nnoswap_wildcards::a,b\nquay.io:443/team::h.io:5000/p # comment",
    "default:jmsearcy\n[::1]:5000::h.io\n[REPLACE]*/[a-c]?/[!d]x*::h.io\na::b\nb::a",
)
_PACKS = tuple(
    "pack:\n  content:\n    images: []\nimageSwap:\n  imageChange: |-\n"
    + "".join(f"    {line}\n" for line in text.split("\n"))
    for text in _MAPS
)
_REFERENCES = (*_IMAGES, "[2001:db8::1]:5000/a__b/c--d:T_1", "a" * 64, "Mirror/x", "a_b.c/d")


def fuzz_map(text: str) -> None:
    """Load a map; swap images by it, and swap them again."""
    _check(load([Source(text, "map")]), text.split("\n"))


def fuzz_reference(text: str) -> None:
    """Take a reference apart, and put it together again."""
    parsed = reference.parse(text)
    reason = reference.explain(text)
    _require((parsed is None) == (reason != ""), f"a reason, or a reference: {reason!r}")
    if parsed is not None:
        _require(str(parsed) == text, f"the text that was parsed: {str(parsed)!r}")
        full = reference.parse(parsed.repository + parsed.suffix)
        _require(full is not None, f"the full name is valid: {parsed.repository!r}")


def fuzz_pack(text: str) -> None:
    """Read the map in a pack, and load it."""
    try:
        source = pack.read(text, "pack.yaml")
    except pack.InvalidPack:
        return
    _check(load([source]), [])


def _check(ruleset: Ruleset, images: list[str]) -> None:
    for diagnostic in ruleset.diagnostics:
        end = diagnostic.start + diagnostic.length
        inside = 0 <= diagnostic.start < end <= len(diagnostic.origin.text.rstrip())
        _require(inside, f"a place within its line: {diagnostic!r}")
    again = load([Source(ruleset.text, "again")])
    _require(again.text == ruleset.text, f"the text loads back to itself: {ruleset.text!r}")
    engine = ruleset.engine
    parts = [part for rule in engine.rules for part in (rule.key, f"{rule.key}/x", rule.target)]
    for image in (*_IMAGES, *images, *parts[:64]):
        swap = engine.swap(image)
        twice = engine.swap(swap.target)
        _require(
            twice.target == swap.target, f"{image!r} → {swap.target!r} → {twice.target!r} are one"
        )
        valid = not swap.changed or reference.parse(swap.target) is not None
        _require(valid, f"{image!r} becomes a valid reference: {swap.target!r}")


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(f"does not hold: {what}")


_TARGETS: Mapping[str, tuple[Callable[[str], None], tuple[str, ...]]] = {
    "map": (fuzz_map, _MAPS),
    "reference": (fuzz_reference, _REFERENCES),
    "pack": (fuzz_pack, _PACKS),
}


def main(arguments: list[str]) -> int:
    """Fuzz the target named first, with libFuzzer's options behind it; give its exit code."""
    if len(arguments) < 2 or arguments[1] not in _TARGETS:
        print(f"usage: {arguments[0]} {{{','.join(_TARGETS)}}} [-max_total_time=SECONDS] …")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        # libFuzzer ends its process itself, so that only another can remove the folder.
        child = os.fork()
        if child == 0:
            _fuzz(arguments[0], arguments[1], arguments[2:], Path(folder))
        _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _fuzz(program: str, name: str, options: list[str], folder: Path) -> NoReturn:
    fuzz, seeds = _TARGETS[name]

    def run(data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        try:
            fuzz(text)
        except Exception:
            # The artifact goes with its folder: this is what is left of the input.
            sys.stderr.write(f"\n{name} fails on this text: {text!r}\n")
            raise

    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(seeds):
        (corpus / str(number)).write_text(seed)
    options = [f"-artifact_prefix={folder}/", "-max_len=4096", *options]
    atheris.Setup([program, *options, str(corpus)], run)
    atheris.Fuzz()
    sys.exit()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
