"""Swaps images by a set of rules that was compiled once, at a cost that does not grow with it."""

from collections.abc import Iterable
from typing import NamedTuple

from imageswap.rules import reference
from imageswap.rules.glob import Glob, GlobIndex
from imageswap.rules.reference import Reference
from imageswap.rules.rule import Kind, Rule
from imageswap.rules.target import Target, TargetIndex

# Each rule of a chain may apply once for each component of the longest path there can be.
_MAX_COMPONENTS = reference.MAX_PATH_LENGTH // 2 + 1


class Step(NamedTuple):
    """One rule's part in a swap, and the image after it."""

    rule: Rule
    image: str


class Swap(NamedTuple):
    """What the rules make of one image.

    ``rule`` is the rule that decided first: the one that swapped, or the one that left the image
    alone; None where no rule applies. ``steps`` are the swaps done, more than one where rules
    chain. ``warning`` says in words why a swap that a rule asked for did not happen, or "".
    ``cycle`` holds the steps that led the image round in a cycle, where it was left for that.
    """

    source: str
    target: str
    rule: Rule | None
    steps: tuple[Step, ...] = ()
    warning: str = ""
    cycle: tuple[Step, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the target differs from the source."""
        return self.source != self.target


class _Compiled(NamedTuple):
    """A rule with its target taken apart; ``target`` is None for one that leaves images alone."""

    rule: Rule
    target: Target | None
    path: str = ""
    has_port: bool = False


class Engine:
    """A compiled set of rules. Immutable once made, and safe to share between threads."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Compile rules.

        Takes them in file order, with no key twice. Which rule applies: EXACT, then REPLACE in
        file order, then the longest registry or path prefix (the one with the port before the one
        without), then ``noswap_wildcards``, then ``default``. With no ``default`` only EXACT and
        REPLACE apply, as in ImageSwap 1.5.
        """
        self.rules: tuple[Rule, ...] = tuple(rules)
        self._exact: dict[str, _Compiled] = {}
        self._exact_targets: set[str] = set()
        self._replace: GlobIndex[_Compiled] = GlobIndex()
        self._prefix: dict[str, dict[str, _Compiled]] = {}
        self._noswap: Rule | None = None
        self._noswap_words: tuple[str, ...] = ()
        self._default: _Compiled | None = None
        self._targets = TargetIndex()
        for rule in self.rules:
            self._add(rule)

    def _add(self, rule: Rule) -> None:
        if rule.kind is Kind.EXACT:
            self._exact[rule.key] = _Compiled(rule, None)
            self._exact_targets.add(rule.target)
            return
        if rule.kind is Kind.NOSWAP:
            self._noswap = rule
            self._noswap_words = tuple(filter(None, rule.target.split(",")))
            return
        target = Target(rule.target) if rule.target else None
        if target is not None:
            self._targets.add(target)
        if rule.kind is Kind.REPLACE:
            self._replace.add(Glob(rule.key), _Compiled(rule, target))
        elif rule.kind is Kind.DEFAULT:
            self._default = _Compiled(rule, target)
        else:
            registry, _, path = rule.key.partition("/")
            has_port = reference.split_port(registry)[1] != ""
            compiled = _Compiled(rule, target, path, has_port)
            self._prefix.setdefault(registry, {})[path] = compiled

    def swap(self, image: str) -> Swap:
        """Swap one image.

        Takes any text; gives what the rules make of it, through every rule of a chain. A text that
        is not an image reference stays as it is. ``swap(swap(x).target).target == swap(x).target``
        for every text. Never raises.
        """
        first, target, warning = self._step(image)
        if first is None or target == image:
            return Swap(image, image, first, (), warning)
        steps = [Step(first, target)]
        seen = {image}
        components = {first.key: image.count("/")}
        while True:
            rule, after, warning = self._step(target)
            if rule is None or after == target:
                return Swap(image, target, first, tuple(steps), warning)
            seen.add(target)
            # A rule that comes round again to a longer image would make it longer for ever.
            depth = target.count("/")
            grows = depth > components.get(rule.key, depth)
            if after in seen or grows or len(steps) > len(self.rules) + _MAX_COMPONENTS:
                cycle = (*steps, Step(rule, after))
                return Swap(image, image, first, (), _cycle_warning(image, cycle), cycle)
            components[rule.key] = depth
            steps.append(Step(rule, after))
            target = after

    def _step(self, image: str) -> tuple[Rule | None, str, str]:
        """Apply, once, the one rule that applies.

        Gives the rule, the image after it, and why the image was left if the rule could not.
        """
        exact = self._exact.get(image)
        if exact is not None:
            return exact.rule, exact.rule.target or image, ""
        parsed = reference.parse(image)
        if parsed is None:
            return None, image, ""
        if self._replace:
            found = self._replace.first(image)
            if found is not None:
                return _apply(found, image, parsed, parsed.path.rpartition("/")[2])
        default = self._default
        if default is None:
            return None, image, ""
        prefix = self._longest_prefix(parsed)
        if prefix is not None:
            rest = parsed.normal_path[len(prefix.path) + 1 :] if prefix.path else parsed.path
            port = "" if prefix.has_port else reference.split_port(parsed.registry)[1]
            return _apply(prefix, image, parsed, rest, port)
        for word in self._noswap_words:
            if word in image:
                return self._noswap, image, ""
        if self._targets.covers(parsed) or image in self._exact_targets:
            return default.rule, image, ""
        return _apply(default, image, parsed, parsed.path)

    def _longest_prefix(self, image: Reference) -> _Compiled | None:
        registry = image.normal_registry
        with_port = self._prefix.get(registry)
        host, port = reference.split_port(registry)
        without_port = self._prefix.get(host) if port else None
        if with_port is None and without_port is None:
            return None
        path = image.normal_path
        end = len(path)
        while True:
            for rules in (with_port, without_port):
                if rules is not None:
                    found = rules.get(path[:end])
                    if found is not None:
                        return found
            if end == 0:
                return None
            end = max(path.rfind("/", 0, end), 0)


def _apply(
    compiled: _Compiled, image: str, parsed: Reference, rest: str, port: str = ""
) -> tuple[Rule, str, str]:
    rule, target = compiled.rule, compiled.target
    if target is None or target.covers(parsed):
        return rule, image, ""
    placed = target.place(parsed, rest, port)
    if placed:
        return rule, placed, ""
    return (
        rule,
        image,
        f"{image} is left as it is: `{rule.text}` ({rule.origin}) would not make a valid image "
        "reference of it",
    )


def _cycle_warning(image: str, steps: tuple[Step, ...]) -> str:
    rules = dict.fromkeys(step.rule for step in steps)
    lines = ", ".join(f"`{rule.text}` ({rule.origin})" for rule in rules)
    return f"{image} is left as it is: the rules lead it round in a cycle: {lines}"
