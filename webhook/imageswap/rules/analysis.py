"""Finds what is wrong with rules taken together: cycles, chains, and rules that never apply."""

import re
from bisect import bisect_left
from collections.abc import Iterator

from imageswap.rules import reference
from imageswap.rules.diagnostic import Diagnostic, Severity, locate
from imageswap.rules.engine import Engine, Step
from imageswap.rules.glob import Glob, GlobIndex
from imageswap.rules.rule import DEFAULT_KEY, Kind, Rule

# A repository name that no rule was written for, to see what becomes of images in general.
_PROBE = "imageswap-probe"
_PROBE_REGISTRY = f"{_PROBE}.invalid"


def analyse(engine: Engine) -> list[Diagnostic]:
    """Look at compiled rules as a whole.

    Gives an error for each cycle, and a warning for each chain, for each rule that can never
    apply, and for the lack of a ``default``; in the order of the rules.
    """
    found: list[Diagnostic] = []
    if engine.rules and not any(rule.kind is Kind.DEFAULT for rule in engine.rules):
        found.append(_no_default(engine.rules[-1]))
    keys = _sorted_keys(engine.rules)
    shadows = _Shadows(engine.rules)
    by_kind_and_key = {(rule.kind, rule.key): rule for rule in engine.rules}
    cycles: set[frozenset[int]] = set()
    for rule in engine.rules:
        shadow = shadows.over(rule)
        if shadow is not None:
            found.append(_shadowed(rule, shadow))
        elif _leaves_what_nothing_swaps(rule, by_kind_and_key):
            found.append(_needless(rule))
        if rule.target and rule.kind is not Kind.NOSWAP:
            found.extend(_follow(engine, rule, keys, cycles))
    return found


def _no_default(last: Rule) -> Diagnostic:
    return _about(
        last,
        Severity.WARNING,
        "no `default` rule: without one only [EXACT] and [REPLACE] rules swap anything",
        f"add `{DEFAULT_KEY}::` to leave all other images alone, or `{DEFAULT_KEY}::TARGET`",
    )


def _follow(
    engine: Engine, rule: Rule, keys: list[tuple[str, Rule]], cycles: set[frozenset[int]]
) -> Iterator[Diagnostic]:
    """Swap images that this rule was written for, and say where they go on to other rules."""
    for image in _samples(rule, keys):
        swap = engine.swap(image)
        if swap.cycle:
            lines = frozenset(id(step.rule) for step in swap.cycle)
            certain = image == _sample(rule)
            if certain and lines not in cycles:
                cycles.add(lines)
                yield _cycle(swap.cycle)
                return
        elif len(swap.steps) > 1 and swap.steps[0].rule is rule:
            yield _chain(rule, swap.steps[1].rule, swap.steps)
            return


def _samples(rule: Rule, keys: list[tuple[str, Rule]]) -> Iterator[str]:
    """Give an image that the rule applies to, then one that a rule below its target would take."""
    sample = _sample(rule)
    if reference.parse(sample) is None:
        return
    yield sample
    if rule.kind is not Kind.PREFIX or rule.target.endswith("-"):
        return
    below = f"{rule.target}/"
    at = bisect_left(keys, below, key=lambda entry: entry[0])
    if at < len(keys) and keys[at][0].startswith(below) and keys[at][1].target:
        yield f"{rule.key}/{keys[at][0][len(below) :]}/{_PROBE}"


def _sample(rule: Rule) -> str:
    if rule.kind is Kind.EXACT:
        return rule.key
    if rule.kind is Kind.PREFIX:
        return f"{rule.key}/{_PROBE}"
    if rule.kind is Kind.REPLACE:
        return re.sub(r"\[!?(.)[^\]]*\]", r"\1", rule.key).replace("*", _PROBE).replace("?", "x")
    return f"{_PROBE_REGISTRY}/{_PROBE}"


def _sorted_keys(rules: tuple[Rule, ...]) -> list[tuple[str, Rule]]:
    return sorted(((r.key, r) for r in rules if r.kind is Kind.PREFIX), key=lambda entry: entry[0])


class _Shadows:
    """The [REPLACE] rules, to ask whether one of them takes every image of another rule."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._earlier: GlobIndex[Rule] = GlobIndex()
        self._all: GlobIndex[Rule] = GlobIndex()
        for rule in rules:
            if rule.kind is Kind.REPLACE and _is_plain(rule.key):
                self._all.add(Glob(rule.key), rule)

    def over(self, rule: Rule) -> Rule | None:
        """Give the [REPLACE] rule that leaves nothing to this one, or None.

        Must be asked rule by rule in file order: a [REPLACE] rule is shadowed by earlier ones only.
        """
        if rule.kind is Kind.EXACT:
            return None
        if rule.kind is Kind.REPLACE:
            # A pattern is itself matched by one whose wildcards are all `*` exactly if everything
            # that it matches is.
            shadow = self._earlier.first(rule.key)
            if _is_plain(rule.key):
                self._earlier.add(Glob(rule.key), rule)
            return shadow
        if rule.kind is Kind.PREFIX:
            registry, _, path = rule.key.partition("/")
            if registry != reference.DOCKER_HUB:
                return self._over_prefix(registry, path)
        return self._all.first("")

    def _over_prefix(self, registry: str, path: str) -> Rule | None:
        # One rule must take all spellings: with another port, and with a tag or a path behind.
        ports = [registry] if reference.split_port(registry)[1] else [registry, f"{registry}:*"]
        ends = ["/*"] if not path else [f"/{path}", f"/{path}:*", f"/{path}@*", f"/{path}/*"]
        found = [self._all.first(port + end) for port in ports for end in ends]
        return found[0] if all(found) else None


def _is_plain(pattern: str) -> bool:
    return "?" not in pattern and "[" not in pattern


def _leaves_what_nothing_swaps(rule: Rule, rules: dict[tuple[Kind, str], Rule]) -> bool:
    """Whether an exception excepts from nothing: the next rule in line leaves its images too."""
    default = rules.get((Kind.DEFAULT, DEFAULT_KEY))
    default_swaps = default is not None and default.target != ""
    if rule.kind is Kind.NOSWAP:
        return not default_swaps
    if rule.kind is not Kind.PREFIX or rule.target:
        return False
    registry, slash, path = rule.key.partition("/")
    host, port = reference.split_port(registry)
    while slash or port:
        if slash:
            path, slash, _ = path.rpartition("/")
        else:
            path, port = rule.key.partition("/")[2], ""
            registry = host
            slash = "/" if path else ""
        shorter = rules.get((Kind.PREFIX, f"{registry}/{path}" if path else registry))
        if shorter is not None:
            return shorter.target == ""
    return not default_swaps


def _cycle(steps: tuple[Step, ...]) -> Diagnostic:
    rules = list(dict.fromkeys(step.rule for step in steps))
    first = min(rules, key=lambda rule: rule.origin.line)
    lines = ", ".join(f"`{rule.text}` ({rule.origin})" for rule in rules)
    return _about(
        first,
        Severity.ERROR,
        f"these rules send images round in a cycle: {lines}",
        "change the target of one of them",
    )


def _chain(rule: Rule, following: Rule, steps: tuple[Step, ...]) -> Diagnostic:
    return _about(
        rule,
        Severity.WARNING,
        f"the target of `{rule.text}` is the source of `{following.text}` ({following.origin}), so "
        f"images go the whole way, such as {' → '.join(step.image for step in steps)}",
        "write the last target in the first rule, if that is meant",
    )


def _shadowed(rule: Rule, shadow: Rule) -> Diagnostic:
    return _about(
        rule,
        Severity.WARNING,
        f"`{rule.text}` never applies: `{shadow.text}` ({shadow.origin}) takes all its images first",
        "delete it, or narrow the pattern",
    )


def _needless(rule: Rule) -> Diagnostic:
    return _about(
        rule,
        Severity.WARNING,
        f"`{rule.text}` leaves alone what no rule would swap anyway",
        "delete it",
    )


def _about(rule: Rule, severity: Severity, message: str, fix: str) -> Diagnostic:
    compact = "".join(rule.origin.text.partition("#")[0].split())
    start, length = locate(rule.origin.text, 0, len(compact))
    return Diagnostic(severity, rule.origin, start, length, message, fix)
