"""What the rules make of images."""

import pytest

from imageswap.rules.engine import Swap
from tests.rules.maps import compile_map, load_map, rules

DIGEST = "@sha256:" + "0" * 64


def swap(text: str, image: str) -> Swap:
    return compile_map(text).swap(image)


# From Palette's documentation of its ImageSwap pack.
PRIVATE = rules("default::", "example.private.io::harbor.internal.example.com")
ALL_BUT_PRIVATE = rules("default::harbor.internal.example.com", "example.private.io::")
EXACT = rules(
    "default::", "[EXACT]example.private.io/demo:v1.0.0::gcr.io/google-samples/hello-app:1.0"
)
REPLACE = rules("default::", "[REPLACE]ghcr.io/example*::example.private.io")


@pytest.mark.parametrize(
    ("text", "image", "target"),
    [
        (PRIVATE, "example.private.io/a/b:1", "harbor.internal.example.com/a/b:1"),
        (PRIVATE, "nginx", "nginx"),
        (ALL_BUT_PRIVATE, "quay.io/a/b:1", "harbor.internal.example.com/a/b:1"),
        (ALL_BUT_PRIVATE, "example.private.io/a", "example.private.io/a"),
        (EXACT, "example.private.io/demo:v1.0.0", "gcr.io/google-samples/hello-app:1.0"),
        (EXACT, "example.private.io/demo:v1.0.1", "example.private.io/demo:v1.0.1"),
        (REPLACE, "ghcr.io/example/team/app:2", "example.private.io/app:2"),
    ],
)
def test_the_examples_of_palette(text: str, image: str, target: str) -> None:
    assert swap(text, image).target == target
    assert load_map(text).errors == ()


@pytest.mark.parametrize(
    ("text", "image", "target"),
    [
        ("default::h.io/m", "h.io/m/nginx", "h.io/m/nginx"),
        (rules("default::", "a.io::h.io"), "a.io/a.io/x", "h.io/a.io/x"),
        ("default::h.io", "localhost:5000/x", "h.io/x"),
        ("default::h.io", "registry:5000/x", "h.io/x"),
        ("default::h.io/c-", "quay.io/x/y", "h.io/c-quay.io/x/y"),
        (rules("default::", "r.io::h.io/c-"), "r.io:5000/team/app:1", "h.io/c-r.io/team/app:1"),
        (rules("default::", "r.io::h.io/p"), "r.io:5000/x", "h.io/p/x"),
        (rules("default::", "docker.io/library::h.io/l"), "bitnami/redis", "bitnami/redis"),
        (rules("default::", "a.io::h.io"), "a.io/a-io/x", "h.io/a-io/x"),
        (
            rules("default::", "quay.io::h.io", "quay.io/team/app::"),
            "quay.io/team/app:1",
            "quay.io/team/app:1",
        ),
    ],
)
def test_the_defects_of_imageswap_are_not_there(text: str, image: str, target: str) -> None:
    assert swap(text, image).target == target


# Each line alone would apply to `quay.io:8443/team/app:1`; the order is the one of precedence.
BY_PRECEDENCE = (
    "[EXACT]quay.io:8443/team/app:1::h.io/exact/app:1",
    "[REPLACE]quay.io*/app:?::h.io/replace",
    "quay.io:8443/team/app::h.io/port-long",
    "quay.io/team/app::h.io/long",
    "quay.io:8443/team::h.io/port-middle/app",
    "quay.io/team::h.io/middle/app",
    "quay.io:8443::h.io/port",
    "quay.io::h.io/host",
    "noswap_wildcards::team",
)


@pytest.mark.parametrize("place", range(len(BY_PRECEDENCE)))
def test_precedence(place: int) -> None:
    # In the reverse order, so that it cannot be the order in the file that decides.
    text = rules("default::h.io/default", *reversed(BY_PRECEDENCE[place:]))
    decided = swap(text, "quay.io:8443/team/app:1").rule
    assert decided is not None
    assert decided.text == BY_PRECEDENCE[place]


def test_the_first_replace_rule_in_file_order_wins() -> None:
    first, second = "[REPLACE]*/app:1::h.io/one", "[REPLACE]quay.io/*::h.io/two"
    for lines in ((first, second), (second, first)):
        decided = swap(rules(*lines), "quay.io/app:1").rule
        assert decided is not None
        assert decided.text == lines[0]


@pytest.mark.parametrize(
    ("text", "image", "target"),
    [
        # A registry rule.
        ("docker.io::h.io/hub", "nginx:1.25", "h.io/hub/nginx:1.25"),
        ("docker.io::h.io/hub", "bitnami/redis", "h.io/hub/bitnami/redis"),
        ("docker.io::h.io/hub", "docker.io/nginx", "h.io/hub/nginx"),
        ("docker.io::h.io/hub", "docker.io/library/nginx", "h.io/hub/library/nginx"),
        ("docker.io::h.io/hub", "index.docker.io/library/nginx", "h.io/hub/library/nginx"),
        ("index.docker.io::h.io/hub", "nginx", "h.io/hub/nginx"),
        ("quay.io::h.io", f"quay.io/a/b:1{DIGEST}", f"h.io/a/b:1{DIGEST}"),
        ("quay.io::h.io", f"quay.io/a/b{DIGEST}", f"h.io/a/b{DIGEST}"),
        ("quay.io::h.io", "quay.io.example/a", "quay.io.example/a"),
        ("quay.io::h.io", "not-quay.io/a", "not-quay.io/a"),
        ("quay.io::h.io", "team/quay.io/a", "team/quay.io/a"),
        ("localhost::h.io", "localhost/x", "h.io/x"),
        ("[::1]:5000::h.io", "[::1]:5000/x", "h.io/x"),
        # Single-name images.
        ("docker.io/library::h.io/library", "nginx", "h.io/library/nginx"),
        ("docker.io/library::h.io/library", "docker.io/nginx", "h.io/library/nginx"),
        ("docker.io/library::h.io/library", "library/nginx", "h.io/library/nginx"),
        ("docker.io/library/nginx::h.io/web", "nginx:1", "h.io/web:1"),
        # Paths.
        ("quay.io/team::h.io/t", "quay.io/team/app:1", "h.io/t/app:1"),
        ("quay.io/team::h.io/t", "quay.io/team:1", "h.io/t:1"),
        ("quay.io/team::h.io/t", "quay.io/teams/app:1", "quay.io/teams/app:1"),
        ("quay.io/team::h.io/t", "quay.io/team-b/app", "quay.io/team-b/app"),
        ("quay.io/team::h.io/t", "quay.io/a/team/app", "quay.io/a/team/app"),
        ("docker.io/bitnami::h.io/b", "bitnami/redis", "h.io/b/redis"),
        ("docker.io/bitnami::h.io/b", "bitnami", "bitnami"),
        # Ports.
        ("r.io::h.io", "r.io:443/x", "h.io:443/x"),
        ("r.io::h.io:5000", "r.io:443/x", "h.io:5000/x"),
        ("r.io::h.io/p", "r.io:443/x", "h.io/p/x"),
        ("r.io/t::h.io", "r.io:443/t/x", "h.io:443/x"),
        ("r.io:443::h.io", "r.io:443/x", "h.io/x"),
        ("r.io:443::h.io", "r.io:444/x", "r.io:444/x"),
        ("r.io:443::h.io", "r.io/x", "r.io/x"),
        # A target that is a prefix.
        ("docker.io::h.io/m-", "nginx", "h.io/m-docker.io/nginx"),
        ("docker.io::my.example.com/mirror-", "nginx", "my.example.com/mirror-docker.io/nginx"),
        ("r.io::h.io/m-", f"r.io:443/a/b:1{DIGEST}", f"h.io/m-r.io/a/b:1{DIGEST}"),
        ("index.docker.io::h.io/m-", "index.docker.io/a/b", "h.io/m-docker.io/a/b"),
        ("quay.io/team::h.io/m-", "quay.io/team/app", "h.io/m-quay.io/team/app"),
        # Exceptions.
        ("quay.io::", "quay.io/x", "quay.io/x"),
        ("[EXACT]nginx:1::", "nginx:1", "nginx:1"),
        ("[REPLACE]nginx*::", "nginx:1", "nginx:1"),
        # EXACT compares text.
        ("[EXACT]nginx::h.io/nginx:2", "nginx", "h.io/nginx:2"),
        ("[EXACT]nginx::h.io/nginx:2", "nginx:latest", "nginx:latest"),
        ("[EXACT]nginx::h.io/nginx:2", "docker.io/nginx", "docker.io/nginx"),
        # REPLACE keeps the last component.
        ("[REPLACE]*/app*::h.io/r", f"quay.io/team/app:1{DIGEST}", f"h.io/r/app:1{DIGEST}"),
        ("[REPLACE]nginx*::h.io/r", "nginx:1", "h.io/r/nginx:1"),
        ("[REPLACE]quay.io/[a-c]/x::h.io/r", "quay.io/b/x", "h.io/r/x"),
        ("[REPLACE]quay.io/[a-c]/x::h.io/r", "quay.io/d/x", "quay.io/d/x"),
        ("[REPLACE]quay.io/[!a-c]/x::h.io/r", "quay.io/d/x", "h.io/r/x"),
        ("[REPLACE]quay.io/?/x::h.io/r", "quay.io/ab/x", "quay.io/ab/x"),
        ("[REPLACE]quay.io/x::h.io/r", "quay.io/x", "h.io/r/x"),
        ("[REPLACE]quay.io/x::h.io/r", "quay.io/x:1", "quay.io/x:1"),
        ("[REPLACE]quay.io/x-*::h.io:5000", "quay.io/x-y", "h.io:5000/x-y"),
        ("[REPLACE]QUAY.io/*::h.io/r", "quay.io/x", "quay.io/x"),
        ("[REPLACE]quay.io/*::h.io/m-", "quay.io/x", "quay.io/x"),
    ],
)
def test_one_rule(text: str, image: str, target: str) -> None:
    assert swap(rules("default::", text), image).target == target


@pytest.mark.parametrize(
    ("target", "image", "swapped"),
    [
        ("h.io", "nginx", "h.io/nginx"),
        ("h.io", "library/nginx", "h.io/library/nginx"),
        ("h.io", "quay.io:443/x:1", "h.io/x:1"),
        ("h.io:5000/p", "quay.io/x", "h.io:5000/p/x"),
        ("jmsearcy", "nginx", "jmsearcy/nginx"),
        ("jmsearcy", "quay.io/team/app:1", "jmsearcy/team/app:1"),
        ("jmsearcy", "jmsearcy/app", "jmsearcy/app"),
        ("jmsearcy", "docker.io/jmsearcy/app", "docker.io/jmsearcy/app"),
        ("jmsearcy", "jmsearcy-b/app", "jmsearcy/jmsearcy-b/app"),
        ("h.io/m-", "nginx:1", "h.io/m-docker.io/nginx:1"),
        ("h.io/m-", "quay.io:443/x", "h.io/m-quay.io/x"),
        ("", "nginx", "nginx"),
    ],
)
def test_default(target: str, image: str, swapped: str) -> None:
    assert swap(f"default::{target}", image).target == swapped


def test_without_a_default_only_exact_and_replace_rules_swap() -> None:
    text = rules("quay.io::h.io", "[EXACT]quay.io/a:1::h.io/b:1", "[REPLACE]quay.io/r*::h.io")
    assert swap(text, "quay.io/x").target == "quay.io/x"
    assert swap(text, "quay.io/x").rule is None
    assert swap(text, "quay.io/a:1").target == "h.io/b:1"
    assert swap(text, "quay.io/team/r").target == "quay.io/team/r"
    assert swap(text, "quay.io/r").target == "h.io/r"


@pytest.mark.parametrize(
    ("image", "target"),
    [
        ("quay.io/keep/x", "quay.io/keep/x"),
        ("quay.io/x:keep", "quay.io/x:keep"),
        ("keeper.io/x", "keeper.io/x"),
        ("quay.io/x", "h.io/d/x"),
        ("gcr.io/keep/x", "h.io/gcr/keep/x"),
    ],
)
def test_noswap_wildcards_keep_images_from_the_default_only(image: str, target: str) -> None:
    text = rules("default::h.io/d", "noswap_wildcards::,keep,,other,", "gcr.io::h.io/gcr")
    assert swap(text, image).target == target


@pytest.mark.parametrize(
    ("lines", "image"),
    [
        # A rule leaves alone an image under its own target,
        (("default::", "docker.io::docker.io/mirror"), "docker.io/mirror/nginx"),
        (("default::", "docker.io::mirror"), "mirror/nginx"),
        (("default::", "docker.io::docker.io"), "nginx"),
        (("default::", "h.io::h.io/m-"), "h.io/m-h.io/x"),
        (("default::", "[REPLACE]*/x*::h.io"), "h.io/team/x"),
        # on any port of a bare host,
        (("default::h.io",), "h.io:5000/x"),
        # on a path boundary,
        (("default::h.io/m",), "h.io/m:1"),
        (("default::h.io/m",), "h.io/m/x"),
        (("default::h.io:5000",), "h.io:5000/x"),
        # and as text where it ends in `-`.
        (("default::h.io/m-",), "h.io/m-anything"),
        # The default leaves alone what stands under any rule's target.
        (("default::d.io", "quay.io::h.io/q"), "h.io/q/x"),
        (("default::d.io", "[REPLACE]q*::h.io/r"), "h.io/r/x"),
        (("default::d.io", "quay.io::h.io/m-"), "h.io/m-quay.io/x"),
        (("default::d.io", "quay.io::my-h.io/m-"), "my-h.io/m-quay.io/x"),
        (("default::d.io", "quay.io::jmsearcy"), "docker.io/jmsearcy/x"),
        (("default::d.io", "[EXACT]a.io/x:1::e.io/x:1"), "e.io/x:1"),
    ],
)
def test_what_was_swapped_is_left_alone(lines: tuple[str, ...], image: str) -> None:
    assert swap(rules(*lines), image) == Swap(image, image, swap(rules(*lines), image).rule)


@pytest.mark.parametrize(
    ("target", "image"),
    [
        ("h.io/m", "h.io/mirror/x"),
        ("h.io/m", "h.io:5000/m/x"),
        ("h.io:5000", "h.io/x"),
        ("h.io:5000", "h.io:50000/x"),
        ("h.io", "h.io.example/x"),
        ("h.io/m-", "h.io/mx"),
    ],
)
def test_what_stands_beside_a_target_does_not_stand_under_it(target: str, image: str) -> None:
    assert swap(f"default::{target}", image).changed


def test_the_default_swaps_what_stands_beside_an_exact_target() -> None:
    text = rules("default::d.io", "[EXACT]a.io/x:1::e.io/x:1")
    assert swap(text, "e.io/x:2").target == "d.io/x:2"


@pytest.mark.parametrize(
    ("lines", "image", "images"),
    [
        (("default::", "a.io::b.io", "b.io::c.io"), "a.io/x", ["b.io/x", "c.io/x"]),
        (("default::", "b.io::c.io", "a.io::b.io"), "a.io/x", ["b.io/x", "c.io/x"]),
        (("default::a.io", "a.io::b.io"), "x", ["a.io/x", "b.io/x"]),
        (("[EXACT]x:1::y:1", "[EXACT]y:1::z:1"), "x:1", ["y:1", "z:1"]),
        (
            ("default::", "a.io::b.io/p", "[REPLACE]b.io/*::c.io"),
            "a.io/t/x",
            ["b.io/p/t/x", "c.io/x"],
        ),
        (("default::", "a.io::b.io", "b.io:443::c.io"), "a.io:443/x", ["b.io:443/x", "c.io/x"]),
        (
            ("default::", "a.io::b.io", "[EXACT]b.io/x:1::c.io/y:2"),
            "a.io/x:1",
            ["b.io/x:1", "c.io/y:2"],
        ),
        # `library/` comes between a target on Docker Hub and what is put there.
        (
            ("default::h.io", "quay.io/app::docker.io/app"),
            "quay.io/app:1",
            ["docker.io/app:1", "h.io/app:1"],
        ),
        # Behind a `-` another registry's name ends.
        (
            ("default::", "quay.io::h.io-", "h.io-quay.io::c.io"),
            "quay.io/x",
            ["h.io-quay.io/x", "c.io/x"],
        ),
        # The same rule may apply twice on the way.
        (
            ("default::", "a.io::b.io/p", "b.io/p::a.io/q", "a.io/q/q::c.io"),
            "a.io/x",
            ["b.io/p/x", "a.io/q/x", "b.io/p/q/x", "a.io/q/q/x", "c.io/x"],
        ),
    ],
)
def test_a_chain_goes_the_whole_way(lines: tuple[str, ...], image: str, images: list[str]) -> None:
    swapped = swap(rules(*lines), image)
    assert [step.image for step in swapped.steps] == images
    assert swapped.target == images[-1]
    assert swapped.warning == ""


@pytest.mark.parametrize(
    ("lines", "image", "cycle"),
    [
        (("default::", "a.io::b.io", "b.io::a.io"), "a.io/x", ["b.io/x", "a.io/x"]),
        (("[EXACT]x:1::y:1", "[EXACT]y:1::x:1"), "x:1", ["y:1", "x:1"]),
        # What leads into a cycle is not a part of it.
        (
            ("default::", "c.io::a.io", "a.io::b.io", "b.io::a.io"),
            "c.io/x",
            ["b.io/x", "a.io/x"],
        ),
        # Only on one image.
        (("default::", "a.io::b.io", "[EXACT]b.io/x:1::a.io/x:1"), "a.io/x:1", None),
    ],
)
def test_a_cycle_leaves_the_image(
    lines: tuple[str, ...], image: str, cycle: list[str] | None
) -> None:
    swapped = swap(rules(*lines), image)
    assert swapped.target == image
    assert swapped.steps == ()
    assert "cycle" in swapped.warning
    for step in swapped.cycle:
        assert f"`{step.rule.text}` (map:{step.rule.origin.line})" in swapped.warning
    if cycle is not None:
        assert [step.image for step in swapped.cycle] == cycle


def test_rules_that_make_an_image_longer_for_ever_are_a_cycle() -> None:
    swapped = swap(rules("default::", "a.io::b.io/p", "b.io::a.io/q"), "a.io/x")
    assert swapped.target == "a.io/x"
    assert [step.rule.key for step in swapped.cycle] == ["b.io", "a.io"]


def test_a_chain_of_hundreds_of_rules_counts_as_a_cycle() -> None:
    text = rules("default::", *(f"a{n}.io::a{n + 1}.io" for n in range(400)))
    assert swap(text, "a200.io/x").target == "a400.io/x"
    swapped = swap(text, "a0.io/x")
    assert swapped.target == "a0.io/x"
    assert "cycle" in swapped.warning


@pytest.mark.parametrize(
    ("text", "image"),
    [
        # No repository would be left.
        ("quay.io/team/app::h.io", "quay.io/team/app:1"),
        ("quay.io/team/app::h.io:5000", "quay.io/team/app:1"),
        ("docker.io/library/nginx::h.io", "nginx:1"),
        # The host would become a path component that it cannot be.
        ("Mirror::h.io/m-", "Mirror/x"),
        ("[::1]:5000::h.io/m-", "[::1]:5000/x"),
        # Too long.
        ("quay.io::h.io/" + "p" * 200, "quay.io/" + "x" * 60),
        # Sixty-four hexadecimal digits alone are an image ID.
        ("quay.io/x::" + "a" * 64, "quay.io/x"),
    ],
)
def test_a_swap_that_would_break_the_image_does_not_happen(text: str, image: str) -> None:
    swapped = swap(rules("default::", text), image)
    assert swapped.target == image
    assert swapped.warning.startswith(f"{image} is left as it is: `{text}` (map:2)")


def test_a_chain_ends_before_the_swap_that_would_break_the_image() -> None:
    text = rules("default::", "a.io::b.io/team/app", "b.io/team/app/x::c.io")
    swapped = swap(text, "a.io/x:1")
    assert swapped.target == "b.io/team/app/x:1"
    assert swapped.warning.startswith("b.io/team/app/x:1 is left as it is")
    assert swap(text, swapped.target).target == swapped.target


def test_rules_that_come_round_to_shorter_images_are_no_cycle() -> None:
    text = rules("default::", "a.io::b.io/p/p", "b.io/p/p/p::a.io")
    swapped = swap(text, "a.io/p/p")
    assert swapped.target == "b.io/p/p/p"
    assert [step.image for step in swapped.steps] == ["b.io/p/p/p/p", "a.io/p", "b.io/p/p/p"]
    assert swapped.cycle == ()
    assert swapped.warning.startswith("b.io/p/p/p is left as it is: `b.io/p/p/p::a.io` (map:3)")


@pytest.mark.parametrize("image", ["", " ", "a b", "Nginx", "nginx:", "a/", "::", "\0", "quay.io/"])
def test_what_is_no_reference_is_left_alone(image: str) -> None:
    text = rules("default::h.io", "[REPLACE]*::h.io", "docker.io::h.io/hub")
    assert swap(text, image) == Swap(image, image, None)


def test_a_swap_says_what_happened() -> None:
    swapped = swap(rules("default::", "quay.io::h.io"), "quay.io/x")
    assert swapped.changed
    assert swapped.rule is not None
    assert swapped.rule.origin.line == 2
    assert [(step.rule.text, step.image) for step in swapped.steps] == [("quay.io::h.io", "h.io/x")]
    kept = swap(rules("default::", "quay.io::h.io"), "nginx")
    assert not kept.changed
    assert kept.rule is not None
    assert kept.rule.text == "default::"
    assert swap("", "nginx").rule is None
