"""Rule maps and images that meet: each example builds both from a few hosts and components."""

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import strategies as st

DIGEST = f"@sha256:{'0123456789abcdef' * 4}"

_HOSTS = (
    "a.io",
    "b.io",
    "h.io",
    "a.io:5000",
    "b.io:5000",
    "h.io:443",
    "docker.io",
    "index.docker.io",
    "docker.io:443",
    "localhost",
    "localhost:5000",
    "registry:5000",
    "[::1]:5000",
    "Mirror",
)
# Some look like hosts, like each other as regular expressions, or like what a rule makes.
_COMPONENTS = ("x", "app", "team", "library", "m", "a.io", "a-io", "m-a.io", "m-docker.io", "u_v")
_SUFFIXES = ("", "", ":1", ":v1.0-a.io", DIGEST, f":1{DIGEST}")
_WILDCARDS = ("*", "*", "*", "?", "*/", "[a-m]*", "[!b]", "", "**")


class Case(NamedTuple):
    """The text of a map, and images."""

    text: str
    images: Sequence[str]


class _Pool(NamedTuple):
    """The few hosts and components that one example is made of."""

    hosts: Sequence[str]
    components: Sequence[str]


def _few(of: Sequence[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(of), min_size=1, max_size=3, unique=True)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Give a map, and images that some of its rules were likely written for."""
    pool = _Pool(draw(_few(_HOSTS)), draw(_few(_COMPONENTS)))
    rules = draw(st.lists(_rule(pool), max_size=7))
    default = draw(st.lists(_target(pool).map(lambda target: f"default::{target}"), max_size=1))
    text = "\n".join([*default, *rules])
    images = draw(st.lists(_image_for(pool, [*default, *rules]), min_size=4, max_size=8))
    return Case(text, images)


maps = cases().map(lambda case: case.text)
images = cases().map(lambda case: case.images[0])


def _path(pool: _Pool) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(pool.components), min_size=1, max_size=3).map("/".join)


def _host(pool: _Pool) -> st.SearchStrategy[str]:
    return st.sampled_from(pool.hosts)


def _key(pool: _Pool) -> st.SearchStrategy[str]:
    host, path = _host(pool), _path(pool)
    return st.one_of(host, host, st.builds("{}/{}".format, host, path), path)


def _target(pool: _Pool) -> st.SearchStrategy[str]:
    key = _key(pool)
    return st.one_of(
        key, key, key, st.just(""), st.builds("{}-".format, key), st.builds("{}/".format, key)
    )


def _image(pool: _Pool) -> st.SearchStrategy[str]:
    host, path = _host(pool), _path(pool)
    name = st.one_of(path, st.builds("{}/{}".format, host, path))
    return st.builds("{}{}".format, name, st.sampled_from(_SUFFIXES))


def _glob(pool: _Pool) -> st.SearchStrategy[str]:
    return st.builds(
        _with_wildcard,
        _image(pool),
        st.integers(0, 40),
        st.integers(0, 40),
        st.sampled_from(_WILDCARDS),
    )


def _with_wildcard(image: str, start: int, end: int, wildcard: str) -> str:
    start, end = sorted((start % (len(image) + 1), end % (len(image) + 1)))
    return image[:start] + wildcard + image[end:]


def _rule(pool: _Pool) -> st.SearchStrategy[str]:
    key, target, image = _key(pool), _target(pool), _image(pool)
    prefix = st.builds("{}::{}".format, key, target)
    word = st.one_of(st.sampled_from(pool.components), _host(pool), st.just(""), st.just(":1"))
    return st.one_of(
        prefix,
        prefix,
        prefix,
        st.builds("[EXACT]{}::{}".format, image, st.one_of(image, image, st.just(""))),
        st.builds("[REPLACE]{}::{}".format, _glob(pool), target),
        st.lists(word, max_size=3).map(lambda words: f"noswap_wildcards::{','.join(words)}"),
    )


def _image_for(pool: _Pool, rules: Sequence[str]) -> st.SearchStrategy[str]:
    """Give an image: any, or one that is or stands under a rule's key or target."""
    parts = [part for rule in rules for part in rule.rpartition("]")[2].split("::") if part]
    if not parts:
        return _image(pool)
    under = st.builds("{}/{}".format, st.sampled_from(parts), _path(pool))
    name = st.one_of(under, under, st.sampled_from(parts))
    return st.one_of(_image(pool), st.builds("{}{}".format, name, st.sampled_from(_SUFFIXES)))


_pieces = st.one_of(
    st.sampled_from(
        ("::", ":", "/", "-", ".", "@", "#", "[EXACT]", "[REPLACE]", "[", "]", "*", "?", "!", "__")
    ),
    st.sampled_from(
        ("default", "noswap_wildcards", "https://", "sha256:", "\t", " ", "\r\n", "\n")
    ),
    st.sampled_from(_HOSTS),
    st.sampled_from(_COMPONENTS),
    st.text(max_size=3),
)
# Text that holds the pieces of the language in any order.
noise = st.lists(_pieces, max_size=24).map("".join)
noisy_cases = st.builds(Case, st.one_of(maps, noise), st.lists(st.one_of(images, noise, st.text())))
