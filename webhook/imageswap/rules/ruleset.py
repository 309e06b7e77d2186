"""Loads rule maps in layers: reads them, merges them key by key, compiles and looks them over."""

import contextlib
import gc
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from imageswap.rules import syntax
from imageswap.rules.analysis import analyse
from imageswap.rules.diagnostic import Diagnostic, Severity
from imageswap.rules.engine import Engine
from imageswap.rules.rule import Kind, Rule
from imageswap.rules.syntax import Source


@dataclass(frozen=True)
class Ruleset:
    """The rules in force, and what there is to say about them."""

    engine: Engine
    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The errors; where there are any, the rules must not be used."""
        return tuple(d for d in self.diagnostics if d.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The warnings, which stop nobody."""
        return tuple(d for d in self.diagnostics if d.severity is Severity.WARNING)

    @property
    def text(self) -> str:
        """The rules in force as one map, a rule a line, that loads to the same rules."""
        return "".join(f"{rule.text}\n" for rule in self.engine.rules)

    @property
    def digest(self) -> str:
        """A SHA-256, in hexadecimal, that is equal for rules that mean the same.

        Of all rules only [REPLACE] rules have an order that means something.
        """
        ordered = [rule.text for rule in self.engine.rules if rule.kind is Kind.REPLACE]
        others = [rule.text for rule in self.engine.rules if rule.kind is not Kind.REPLACE]
        text = "\n".join([*sorted(others), *ordered])
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def load(sources: Iterable[Source]) -> Ruleset:
    """Load rule maps, a later one overriding earlier ones key by key.

    Takes the maps in order; gives the rules in force with every error and warning of every map.
    A rule that is overridden keeps its place in the order, with the text of the later map.
    """
    merged: dict[tuple[Kind, str], Rule] = {}
    diagnostics: list[Diagnostic] = []
    with _no_garbage_collection():
        for source in sources:
            rules, found = syntax.parse(source)
            diagnostics.extend(found)
            merged.update(((rule.kind, rule.key), rule) for rule in rules)
        engine = Engine(merged.values())
        diagnostics.extend(analyse(engine))
    return Ruleset(engine, tuple(diagnostics))


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Pause the collector, which would look again and again through objects that all stay.

    With 100,000 rules that is a fifth of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
