"""Maps in layers."""

from imageswap.rules.ruleset import load
from tests.rules.maps import load_map, rules

BASE = rules("default::h.io", "quay.io::h.io/quay", "[REPLACE]a*::h.io/a", "[REPLACE]b*::h.io/b")


def test_a_later_map_overrides_key_by_key() -> None:
    ruleset = load_map(BASE, rules("gcr.io::h.io/gcr", "quay.io::i.io", "default::"))
    assert ruleset.text.splitlines() == [
        "default::",
        "quay.io::i.io",
        "[REPLACE]a*::h.io/a",
        "[REPLACE]b*::h.io/b",
        "gcr.io::h.io/gcr",
    ]


def test_every_rule_in_force_keeps_its_origin() -> None:
    ruleset = load_map(BASE, rules("", "quay.io::i.io"), rules("default::i.io"))
    assert [str(rule.origin) for rule in ruleset.engine.rules] == [
        "map3:1",
        "map2:2",
        "map1:3",
        "map1:4",
    ]
    swap = ruleset.engine.swap("quay.io/x")
    assert [str(step.rule.origin) for step in swap.steps] == ["map2:2"]


def test_keys_are_the_same_by_what_they_mean() -> None:
    ruleset = load_map("docker.io::h.io", "index.docker.io/::i.io")
    assert ruleset.text == "docker.io::i.io\n"
    kinds = load_map("nginx.io::h.io", "[EXACT]nginx.io::i.io/x", "[REPLACE]nginx.io::j.io")
    assert len(kinds.engine.rules) == 3


def test_the_diagnostics_are_those_of_all_maps_and_of_the_rules_in_force() -> None:
    ruleset = load_map(rules("default:h.io", "a.io::b.io"), rules("b.io::a.io", "oops"))
    assert [str(d).partition(" ")[0] for d in ruleset.errors] == ["map2:2:1:", "map2:1:1:"]
    assert [str(d).partition(" ")[0] for d in ruleset.warnings] == ["map1:1:8:"]
    assert ruleset.diagnostics[0] in ruleset.warnings


def test_a_cycle_may_be_overridden_away() -> None:
    text = rules("default::", "a.io::b.io", "b.io::a.io")
    assert load_map(text).errors != ()
    assert load_map(text, "b.io::c.io").errors == ()


def test_the_text_loads_back_to_the_same_rules() -> None:
    ruleset = load_map(BASE, "quay.io : i.io/  # why")
    again = load_map(ruleset.text)
    assert again.text == ruleset.text
    assert again.digest == ruleset.digest
    assert again.diagnostics == ()


def test_the_digest_is_equal_for_maps_that_mean_the_same() -> None:
    digest = load_map(BASE).digest
    assert len(digest) == 64
    respelled = rules(
        "# the same",
        " quay.io/ :: h.io/quay # in another order",
        "[REPLACE]a*::h.io/a",
        "default:h.io/",
        "[REPLACE] b*::h.io/b",
    )
    assert load_map(respelled).digest == digest
    assert load_map("default::", BASE).digest == digest


def test_the_digest_differs_for_maps_that_mean_something_else() -> None:
    lines = BASE.split("\n")
    others = [
        "",
        rules(*lines[:-1]),
        rules(*lines, "gcr.io::"),
        rules(*lines[:2], *reversed(lines[2:])),
        BASE.replace("h.io/quay", "h.io/quay2"),
    ]
    digests = {load_map(other).digest for other in (BASE, *others)}
    assert len(digests) == len(others) + 1


def test_no_maps() -> None:
    ruleset = load([])
    assert ruleset.diagnostics == ()
    assert ruleset.engine.rules == ()
    assert ruleset.text == ""
    assert ruleset.engine.swap("nginx").target == "nginx"
