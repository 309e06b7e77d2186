"""The engine against ImageSwap 1.5: every difference is one of its defects."""

import re

from hypothesis import given

from imageswap.rules import reference
from imageswap.rules.engine import Engine, Swap
from imageswap.rules.reference import Reference
from imageswap.rules.rule import Kind, Rule
from imageswap.rules.target import Target
from tests.rules import upstream
from tests.rules.maps import compile_map, rules
from tests.rules.strategies import Case, cases

_LEGACY = reference.LEGACY_DOCKER_HUB


@given(cases())
def test_every_difference_is_a_known_one(case: Case) -> None:
    # ImageSwap cannot read a line with an IPv6 address, which holds a second `::`.
    engine = compile_map(rules(*(line for line in case.text.split("\n") if "[::" not in line)))
    # The lines that hold no error, so that both have the same rules.
    maps = upstream.read(rule.origin.text for rule in engine.rules)
    for image in case.images:
        swap = engine.swap(image)
        difference = explain(engine, maps, swap)
        assert difference is not None, (swap, theirs(maps, image))


def theirs(maps: upstream.Maps, image: str) -> str | None:
    """Give ImageSwap's answer; None where it crashes."""
    try:
        return upstream.swap(maps, image)
    except (KeyError, re.error):
        return None


def explain(engine: Engine, maps: upstream.Maps, swap: Swap) -> str | None:
    """Say why ImageSwap answers otherwise: "" where it does not, None where that is not known."""
    their = theirs(maps, swap.source)
    steps = swap.steps or swap.cycle
    our = steps[0].image if steps and not swap.cycle else swap.target
    if their == our:
        return ""
    if their is None:
        return "it crashes"
    parsed = reference.parse(swap.source)
    if parsed is None:
        return "it swaps what is no image"
    if reference.parse(their) is None:
        return "it makes what is no image"
    if swap.cycle:
        return "it goes round in a cycle, a step a call"
    rule = swap.rule
    if rule is None:
        return None
    if rule.kind in (Kind.EXACT, Kind.REPLACE) and not rule.target:
        return "it makes an image of nothing"
    return _explain_by_rule(engine, maps, parsed, swap, rule, their)


def _explain_by_rule(
    engine: Engine, maps: upstream.Maps, image: Reference, swap: Swap, rule: Rule, their: str
) -> str | None:
    text = swap.source
    if not swap.steps and _stands_under_a_target(engine, rule, image, text):
        return "it nests an image under its own target"
    if rule.kind is Kind.PREFIX and "/" in rule.key and not _is_library(rule, text):
        return "it has no rules for paths, save for those of library images"
    if image.registry != _their_registry(text):
        return "it takes a registry for a namespace"
    if image.registry == _LEGACY or rule.origin.text.startswith(_LEGACY):
        return "it takes the old name of Docker Hub for another registry"
    words = maps.registries.get("noswap_wildcards", "")
    if their == text and words and "" in words.split(","):
        return "it leaves all images alone for an empty word"
    if image.port and rule.target.endswith("-"):
        return "it drops a path with a port"
    if image.port and ":" not in rule.key and not Target(rule.target).is_bare_host:
        return "it puts a port behind what is not a host alone"
    if image.registry and rule.kind is Kind.DEFAULT and rule.target.endswith("-"):
        return "it writes the registry twice"
    key = rule.key if rule.kind is Kind.PREFIX else image.registry or reference.DOCKER_HUB
    if len(re.findall(key, text)) != (1 if image.registry else 0):
        return "it takes a key for a regular expression, and finds it anywhere in the image"
    return None


def _is_library(rule: Rule, image: str) -> bool:
    return rule.key == "docker.io/library" and "/" not in image


def _stands_under_a_target(engine: Engine, rule: Rule, image: Reference, text: str) -> bool:
    if rule.kind is Kind.DEFAULT:
        return any(
            other.target == text
            if other.kind is Kind.EXACT
            else other.kind is not Kind.NOSWAP
            and other.target != ""
            and Target(other.target).covers(image)
            for other in engine.rules
        )
    return rule.target != "" and Target(rule.target).covers(image)


def _their_registry(image: str) -> str:
    first, slash, _ = image.partition("/")
    return first if slash and "." in first else ""
