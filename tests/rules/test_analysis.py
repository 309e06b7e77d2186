"""What is wrong with rules taken together."""

import pytest

from imageswap.rules.diagnostic import Diagnostic
from tests.rules.maps import load_map, rules


def warnings(*lines: str) -> list[Diagnostic]:
    ruleset = load_map(rules(*lines))
    assert ruleset.errors == ()
    return list(ruleset.warnings)


def errors(*lines: str) -> list[Diagnostic]:
    return list(load_map(rules(*lines)).errors)


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("default::",),
        ("default::h.io",),
        ("default::", "example.private.io::harbor.internal.example.com"),
        ("default::harbor.internal.example.com", "example.private.io::"),
        ("default::h.io/all", "noswap_wildcards::internal", "quay.io::", "docker.io::h.io/hub"),
        ("default::h.io/all", "docker.io::h.io/hub", "docker.io/library::h.io/hub/library"),
        ("default::h.io", "h.io::"),
        ("default::h.io", "h.io:5000::"),
        ("default::", "quay.io::h.io/quay", "gcr.io::h.io/gcr"),
        ("default::", "quay.io::h.io", "quay.io/team::", "quay.io/team/app::h.io/app"),
        ("default::", "docker.io::docker.io/mirror"),
        ("default::", "docker.io::h.io/mirror-"),
        ("default::", "[EXACT]quay.io/a:1::quay.io/a:2"),
        ("default::", "[REPLACE]ghcr.io/a*::h.io/a", "[REPLACE]ghcr.io/*::h.io/b"),
        ("default::", "[REPLACE]ghcr.io/*::h.io"),
        ("default::", "[REPLACE]ghcr.io/team*::h.io", "ghcr.io::h.io/x"),
        ("default::", "[REPLACE]ghcr.io/*::h.io/r", "[EXACT]ghcr.io/x:1::h.io/e/x:1"),
        # A pattern with a set, of which only the first character is in the earlier pattern.
        ("default::", "[REPLACE]quay.io/*a*::h.io/a", "[REPLACE]quay.io/[ab]::h.io/b"),
        # Exceptions from a rule that is not the next shorter one in its text.
        ("default::h.io/d", "r.io/a/b::h.io", "r.io:5000::", "r.io:5000/a/b::"),
        ("default::", "r.io:5000::h.io", "r.io/a::"),
        ("default::", "r.io::h.io", "r.io:5000::"),
    ],
)
def test_no_false_alarm(lines: tuple[str, ...]) -> None:
    assert load_map(rules(*lines)).diagnostics == ()


def test_no_default() -> None:
    (warning,) = warnings("quay.io::h.io", "gcr.io::h.io")
    assert "no `default` rule" in warning.message
    assert "`default::`" in warning.fix
    assert warning.origin.line == 2


@pytest.mark.parametrize(
    ("lines", "places", "shown"),
    [
        (("default::", "a.io::b.io", "b.io::c.io"), (2, 3), ["b.io/", "c.io/"]),
        (("default::", "b.io::c.io", "a.io::b.io"), (3, 2), ["b.io/", "c.io/"]),
        (("default::a.io", "a.io::c.io"), (1, 2), ["a.io/", "c.io/"]),
        (("default::", "a.io::b.io/x", "b.io/x::c.io"), (2, 3), ["b.io/x/", "c.io/"]),
        # Only for what stands deeper,
        (("default::", "a.io::b.io", "b.io/x::c.io"), (2, 3), ["b.io/x/", "c.io/"]),
        (("default::", "a.io/p::b.io/q", "b.io/q/x::c.io"), (2, 3), ["b.io/q/x/", "c.io/"]),
        (("default::", "quay.io::jms", "docker.io/jms/x::c.io"), (2, 3), ["jms/x/", "c.io/"]),
        # or by another kind of rule.
        (("default::", "a.io::b.io", "[REPLACE]b.io/*::c.io"), (2, 3), ["b.io/", "c.io/"]),
        (("default::", "[REPLACE]a.io/*::b.io", "b.io::c.io"), (2, 3), ["b.io/", "c.io/"]),
        (("default::", "[EXACT]x:1::b.io/x:1", "b.io::c.io"), (2, 3), ["b.io/x:1", "c.io/x:1"]),
        (("[EXACT]x:1::y:1", "[EXACT]y:1::z:1", "default::"), (1, 2), ["y:1", "z:1"]),
    ],
)
def test_a_chain(lines: tuple[str, ...], places: tuple[int, int], shown: list[str]) -> None:
    (warning,) = warnings(*lines)
    first, following = (lines[place - 1] for place in places)
    assert warning.origin.line == places[0]
    assert f"the target of `{first}` is the source of `{following}` (map1:{places[1]})" in (
        warning.message
    )
    images = warning.message.partition("such as ")[2].split(" → ")[1:]
    assert [image.startswith(start) for image, start in zip(images, shown, strict=True)] == (
        [True, True]
    )
    assert warning.fix != ""


@pytest.mark.parametrize(
    ("lines", "places"),
    [
        (("default::", "a.io::b.io", "b.io::a.io"), {2, 3}),
        (("default::", "a.io::b.io", "b.io::c.io", "c.io::a.io"), {2, 3, 4}),
        (("default::", "a.io::b.io/p", "b.io::a.io/q"), {2, 3}),
        (("[EXACT]x:1::y:1", "[EXACT]y:1::x:1", "default::"), {1, 2}),
        (("default::", "[EXACT]a.io/x:1::b.io/x:1", "b.io::a.io"), {2, 3}),
        (("default::", "[REPLACE]a.io/*::b.io", "[REPLACE]b.io/*::a.io"), {2, 3}),
        # What leads into a cycle is not a part of it.
        (("default::", "c.io::a.io", "a.io::b.io", "b.io::a.io"), {3, 4}),
    ],
)
def test_a_cycle(lines: tuple[str, ...], places: set[int]) -> None:
    (error,) = errors(*lines)
    assert "cycle" in error.message
    for number, line in enumerate(lines, 1):
        assert (f"`{line}` (map1:{number})" in error.message) == (number in places)
    assert error.origin.line == min(places)
    assert error.fix == "change the target of one of them"


def test_each_cycle_is_an_error_of_its_own() -> None:
    found = errors("default::", "a.io::b.io", "b.io::a.io", "c.io::d.io", "d.io::c.io")
    assert [error.origin.line for error in found] == [2, 4]


@pytest.mark.parametrize(
    ("lines", "shadowed", "shadow"),
    [
        (("default::", "[REPLACE]quay.io/*::h.io", "[REPLACE]quay.io/a*::i.io"), 3, 2),
        (("default::", "[REPLACE]*x*::h.io", "[REPLACE]quay.io/[ab]/x?::i.io"), 3, 2),
        (("default::", "[REPLACE]quay.io*::h.io/r", "quay.io::h.io/q"), 3, 2),
        (("default::", "quay.io/team::h.io/q", "[REPLACE]quay.io*/team*::h.io/r"), 2, 3),
        (("default::", "quay.io:443::h.io/q", "[REPLACE]quay.io:443/*::h.io/r"), 2, 3),
        (("default::h.io/d", "[REPLACE]*::h.io/r"), 1, 2),
        (("default::h.io/d", "docker.io::h.io/q", "[REPLACE]*::h.io/r"), 2, 3),
    ],
)
def test_a_rule_that_never_applies(lines: tuple[str, ...], shadowed: int, shadow: int) -> None:
    (warning,) = [w for w in warnings(*lines) if w.origin.line == shadowed]
    assert warning.message == (
        f"`{lines[shadowed - 1]}` never applies: `{lines[shadow - 1]}` (map1:{shadow}) takes all "
        "its images"
    )
    assert warning.fix != ""


@pytest.mark.parametrize(
    "lines",
    [
        ("[REPLACE]quay.io/*::h.io/r", "quay.io::h.io/q"),
        ("[REPLACE]quay.io/team*::h.io/r", "quay.io/team::h.io/q"),
        ("[REPLACE]quay.io/team/*::h.io/r", "quay.io/team::h.io/q"),
        ("[REPLACE]docker.io/*::h.io/r", "docker.io::h.io/q"),
        ("[REPLACE]docker.io*::h.io/r", "docker.io::h.io/q"),
        ("[REPLACE]quay.io/?mage*::h.io/r", "[REPLACE]quay.io/*::h.io/q"),
        ("[REPLACE]quay.io/a*::h.io/r", "[REPLACE]quay.io/*::h.io/q"),
        ("[REPLACE]quay.io/?*::h.io/r", "quay.io:443::h.io/q"),
    ],
)
def test_a_rule_that_still_applies_to_some_images(lines: tuple[str, ...]) -> None:
    assert warnings("default::", *lines) == []


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        (("default::", "quay.io::"), 2),
        (("default::", "quay.io/team::"), 2),
        (("default::", "noswap_wildcards::a"), 2),
        (("default::h.io", "quay.io::", "quay.io/team::"), 3),
        (("default::h.io", "quay.io:443::", "quay.io::"), 2),
        (("default::h.io", "r.io:5000/a::h.io/a", "r.io:5000/a/b::", "r.io/a/b::"), 3),
    ],
)
def test_an_exception_from_nothing(lines: tuple[str, ...], place: int) -> None:
    (warning,) = warnings(*lines)
    assert warning.origin.line == place
    assert warning.message == f"`{lines[place - 1]}` leaves alone what no rule would swap anyway"
    assert warning.fix == "delete it"


def test_the_mark_stands_under_the_rule_without_its_comment() -> None:
    (warning,) = warnings("default::", "  quay.io ::  # nothing")
    assert warning.excerpt() == "      quay.io ::  # nothing\n      ^^^^^^^^^^"
