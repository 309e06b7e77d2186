"""What holds for every rule map and every image."""

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from imageswap.rules import reference
from imageswap.rules.diagnostic import Diagnostic
from imageswap.rules.engine import Engine
from imageswap.rules.rule import Kind
from imageswap.rules.ruleset import load
from imageswap.rules.syntax import Source
from tests.rules import oracle
from tests.rules.maps import compile_map
from tests.rules.strategies import Case, cases, images, maps, noise, noisy_cases


@given(st.one_of(cases(), noisy_cases))
def test_swapping_twice_is_swapping_once(case: Case) -> None:
    engine = compile_map(case.text)
    for image in case.images:
        once = engine.swap(image).target
        assert engine.swap(once).target == once


@given(cases())
def test_the_engine_does_what_the_plain_reading_of_the_rules_does(case: Case) -> None:
    engine = compile_map(case.text)
    for image in case.images:
        assert engine.swap(image).target == oracle.swap(engine.rules, image)


@given(st.one_of(cases(), noisy_cases))
def test_only_valid_references_are_swapped_and_made(case: Case) -> None:
    engine = compile_map(case.text)
    for image in case.images:
        swap = engine.swap(image)
        assert not swap.changed or reference.parse(swap.target) is not None
        assert not swap.changed or reference.parse(image) is not None


@given(st.one_of(cases(), noisy_cases))
def test_the_steps_lead_from_the_source_to_the_target(case: Case) -> None:
    engine = compile_map(case.text)
    for image in case.images:
        swap = engine.swap(image)
        assert swap.source == image
        assert [step.image for step in swap.steps][-1:] == ([swap.target] if swap.changed else [])
        assert not swap.steps or swap.steps[0].rule is swap.rule
        # A chain is what the cluster would do in as many calls.
        assert all(engine.swap(step.image).target == swap.target for step in swap.steps)


@given(st.one_of(cases(), noisy_cases))
def test_what_stays_for_a_cycle_or_a_refusal_has_a_warning(case: Case) -> None:
    engine = compile_map(case.text)
    for image in case.images:
        swap = engine.swap(image)
        assert not swap.cycle or (swap.warning != "" and not swap.changed)
        # The steps of a cycle are one round of it.
        rounds = Counter(step.image for step in swap.cycle)
        assert not rounds or max(rounds.values()) == 1


@given(cases(), st.randoms(use_true_random=False))
def test_only_replace_rules_have_an_order(case: Case, random: Random) -> None:
    engine = compile_map(case.text)
    ordered = [rule for rule in engine.rules if rule.kind is Kind.REPLACE]
    others = [rule for rule in engine.rules if rule.kind is not Kind.REPLACE]
    random.shuffle(others)
    shuffled = Engine(others + ordered)
    for image in case.images:
        assert shuffled.swap(image).target == engine.swap(image).target


@given(st.one_of(images, noise, st.text()))
def test_what_is_printed_parses_back(text: str) -> None:
    parsed = reference.parse(text)
    if parsed is None:
        assert reference.explain(text) != ""
    else:
        assert reference.explain(text) == ""
        assert str(parsed) == text
        assert reference.parse(f"{parsed.repository}{parsed.suffix}") is not None


@given(st.one_of(maps, noise))
def test_the_rules_in_force_load_back_to_themselves(text: str) -> None:
    ruleset = load([Source(text, "map")])
    again = load([Source(ruleset.text, "map")])
    assert [rule[:3] for rule in again.engine.rules] == [rule[:3] for rule in ruleset.engine.rules]
    assert again.digest == ruleset.digest


@given(st.one_of(maps, noise, st.text()), st.integers(1, 1000), st.integers(0, 8))
def test_every_diagnostic_points_into_its_line(text: str, line: int, indent: int) -> None:
    for diagnostic in load([Source(text, "map", line, indent)]).diagnostics:
        assert_points_into_its_line(diagnostic)
        assert line <= diagnostic.origin.line <= line + text.count("\n")


def assert_points_into_its_line(diagnostic: Diagnostic) -> None:
    written = diagnostic.origin.text.rstrip()
    assert diagnostic.length >= 1
    assert 0 <= diagnostic.start < len(written)
    assert diagnostic.start + diagnostic.length <= len(written)
    assert diagnostic.message
    assert diagnostic.fix
    assert diagnostic.excerpt().count("\n") == 1
