"""Swaps images by a set of rules that was compiled once, at a cost that does not grow with it."""

from collections.abc import Iterable
from typing import NamedTuple

from imageswap.rules import reference
from imageswap.rules.glob import GlobIndex
from imageswap.rules.reference import Reference
from imageswap.rules.rule import Kind, Rule
from imageswap.rules.target import Target, TargetIndex

# So that no map makes one swap take long: rules that feed each other can go on for as good as ever
# before an image comes round again.
_MAX_STEPS = 256


class Step(NamedTuple):
    """One rule's part in a swap, and the image after it."""

    rule: Rule
    image: str


class Swap(NamedTuple):
    """What the rules make of one image.

    ``rule`` is the rule that decided first: the one that swapped, or the one that left the image
    alone; None where no rule applies. ``steps`` are the swaps done, more than one where rules
    chain. ``warning`` says in words why a swap that a rule asked for did not happen, or "".
    ``cycle`` holds the steps that lead round, where the image was left alone for that.
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


class _Compiled:
    """A rule with its target taken apart; ``target`` is None where the rule places nothing.

    ``path`` is the path of a registry or path rule's key, and ``has_port`` whether that key has a
    port.
    """

    __slots__ = ("has_port", "path", "rule", "target")

    def __init__(
        self, rule: Rule, target: Target | None = None, path: str = "", has_port: bool = False
    ) -> None:
        self.rule = rule
        self.target = target
        self.path = path
        self.has_port = has_port


class _Refusal(NamedTuple):
    """A swap that does not happen: the text it would make is no reference ("": no repository)."""

    asked: str


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
        self._registries: dict[str, _Compiled] = {}
        self._paths: dict[str, dict[str, _Compiled]] = {}
        self._hosts: set[str] = set()
        self._noswap: _Compiled | None = None
        self._noswap_words: tuple[str, ...] = ()
        self._default: _Compiled | None = None
        self._targets = TargetIndex()
        for rule in self.rules:
            self._add(rule)

    def _add(self, rule: Rule) -> None:
        kind = rule.kind
        if kind is Kind.EXACT:
            self._exact[rule.key] = _Compiled(rule)
            self._exact_targets.add(rule.target)
            return
        if kind is Kind.NOSWAP:
            self._noswap = _Compiled(rule)
            self._noswap_words = tuple(filter(None, rule.target.split(",")))
            return
        target = Target(rule.target) if rule.target else None
        if target is not None:
            self._targets.add(target)
        if kind is Kind.REPLACE:
            self._replace.add(rule.key, _Compiled(rule, target))
        elif kind is Kind.DEFAULT:
            self._default = _Compiled(rule, target)
        else:
            self._add_prefix(rule, target)

    def _add_prefix(self, rule: Rule, target: Target | None) -> None:
        registry, _, path = rule.key.partition("/")
        host, port = reference.split_port(registry)
        self._hosts.add(host)
        compiled = _Compiled(rule, target, path, port != "")
        if path:
            self._paths.setdefault(registry, {})[path] = compiled
        else:
            self._registries[registry] = compiled

    def swap(self, image: str) -> Swap:
        """Swap one image.

        Takes any text; gives what the rules make of it, through every rule of a chain. A text that
        is not an image reference stays as it is. ``swap(swap(x).target).target == swap(x).target``
        for every text. Never raises.
        """
        compiled, after, refusal = self._step(image)
        if compiled is None:
            return Swap(image, image, None)
        rule = compiled.rule
        if refusal is not None:
            return Swap(image, image, rule, (), _refused(rule, image))
        if after == image:
            return Swap(image, image, rule)
        if self._is_final(compiled, after):
            return Swap(image, after, rule, (Step(rule, after),))
        return self._follow(image, Step(rule, after))

    def _follow(self, source: str, first: Step) -> Swap:
        """Swap on along a chain, up to the image that no rule changes."""
        steps = [first]
        places = {source: 0, first.image: 1}
        while True:
            image = steps[-1].image
            compiled, after, refusal = self._step(image)
            if compiled is None or (after == image and refusal is None):
                return Swap(source, image, first.rule, tuple(steps))
            rule = compiled.rule
            if refusal is not None:
                # Rules that make an image longer with each round end where no name can be longer.
                start = _last_use(steps, rule)
                if start is None or len(refusal.asked) <= reference.MAX_PATH_LENGTH:
                    return Swap(source, image, first.rule, tuple(steps), _refused(rule, image))
                return _in_cycle(source, first.rule, steps[start:])
            steps.append(Step(rule, after))
            start = places.setdefault(after, len(steps))
            if start < len(steps):
                return _in_cycle(source, first.rule, steps[start:])
            if len(steps) > _MAX_STEPS:
                return _in_cycle(source, first.rule, steps[_last_use(steps[:-1], rule) or 0 :])

    def _step(self, image: str) -> tuple[_Compiled | None, str, _Refusal | None]:
        """Apply, once, the one rule that applies.

        Gives the rule, the image after it, and the refusal where the rule would break the image.
        """
        exact = self._exact.get(image)
        if exact is not None:
            return exact, exact.rule.target or image, None
        parsed = reference.parse(image)
        if parsed is None:
            return None, image, None
        if self._replace:
            found = self._replace.first(image)
            if found is not None:
                return _apply(found, image, parsed, parsed.path.rpartition("/")[2])
        default = self._default
        if default is None:
            return None, image, None
        prefix = self._longest_prefix(parsed)
        if prefix is not None:
            rest = parsed.full_path[len(prefix.path) + 1 :] if prefix.path else parsed.path
            return _apply(prefix, image, parsed, rest, "" if prefix.has_port else parsed.port)
        for word in self._noswap_words:
            if word in image:
                return self._noswap, image, None
        if self._targets.covers(parsed) or image in self._exact_targets:
            return default, image, None
        return _apply(default, image, parsed, parsed.path)

    def _longest_prefix(self, image: Reference) -> _Compiled | None:
        found = self._longest_in(image.host, image.full_path)
        if not image.port:
            return found
        with_port = self._longest_in(image.host + image.port, image.full_path)
        if found is None or (with_port is not None and len(with_port.path) >= len(found.path)):
            return with_port
        return found

    def _longest_in(self, registry: str, path: str) -> _Compiled | None:
        by_path = self._paths.get(registry)
        if by_path is not None:
            end = len(path)
            while end > 0:
                found = by_path.get(path[:end])
                if found is not None:
                    return found
                end = path.rfind("/", 0, end)
        return self._registries.get(registry)

    def _is_final(self, compiled: _Compiled, after: str) -> bool:
        """Whether it is plain, without another step, that no rule changes a swapped image again.

        It stands under a target, so that ``default`` leaves it alone, and no other rule could
        apply. Not so on Docker Hub, whose ``library/`` may come between, nor with a target that
        ends in ``-``, with which another registry may begin.
        """
        target = compiled.target
        return (
            target is not None
            and not target.is_text_prefix
            and target.host != reference.DOCKER_HUB
            and target.host not in self._hosts
            and after not in self._exact
            and not self._replace.reaches(after)
        )


def _apply(
    compiled: _Compiled, image: str, parsed: Reference, rest: str, port: str = ""
) -> tuple[_Compiled, str, _Refusal | None]:
    target = compiled.target
    if target is None or target.covers(parsed):
        return compiled, image, None
    placed = target.place(parsed, rest, port)
    if target.is_valid(placed, rest):
        return compiled, placed, None
    return compiled, image, _Refusal(placed)


def _last_use(steps: list[Step], rule: Rule) -> int | None:
    return next((i for i in reversed(range(len(steps))) if steps[i].rule is rule), None)


def _refused(rule: Rule, image: str) -> str:
    return (
        f"{image} is left as it is: `{rule.text}` ({rule.origin}) would not make a valid image "
        "reference of it"
    )


def _in_cycle(image: str, first: Rule, cycle: list[Step]) -> Swap:
    rules = dict.fromkeys(step.rule for step in cycle)
    lines = ", ".join(f"`{rule.text}` ({rule.origin})" for rule in rules)
    warning = f"{image} is left as it is: the rules lead it round in a cycle: {lines}"
    return Swap(image, image, first, (), warning, tuple(cycle))
