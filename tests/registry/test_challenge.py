import json
import time

import pytest

from imageswap.registry import token
from imageswap.registry.challenge import Challenge, parse


@pytest.mark.parametrize(
    ("header", "challenges"),
    [
        (
            'Bearer realm="https://auth.example/token",service="r",scope="repository:a/b:pull,push"',
            [
                (
                    "bearer",
                    {
                        "realm": "https://auth.example/token",
                        "service": "r",
                        "scope": "repository:a/b:pull,push",
                    },
                )
            ],
        ),
        ('BASIC Realm="a \\"b\\" \\\\c"', [("basic", {"realm": 'a "b" \\c'})]),
        ("Basic realm=word", [("basic", {"realm": "word"})]),
        (
            "Basic realm = word , charset = UTF-8",
            [("basic", {"realm": "word", "charset": "UTF-8"})],
        ),
        ("Negotiate", [("negotiate", {})]),
        (
            'Negotiate YWJj==, Basic realm="x", Bearer realm="y", service="z"',
            [
                ("negotiate", {}),
                ("basic", {"realm": "x"}),
                ("bearer", {"realm": "y", "service": "z"}),
            ],
        ),
        ("Basic, Bearer realm=y", [("basic", {}), ("bearer", {"realm": "y"})]),
        (" , ,Basic realm=x, ,", [("basic", {"realm": "x"})]),
        ("Bearer realm=a,realm=b", [("bearer", {"realm": "a"})]),
        ('Bearer realm="unended', [("bearer", {})]),
        ('Bearer realm="a"x', [("bearer", {})]),
        ("", []),
        ("=", []),
        ('"Basic"', []),
    ],
)
def test_challenges(header: str, challenges: list[tuple[str, dict[str, str]]]) -> None:
    assert list(parse([header])) == [Challenge(*expected) for expected in challenges]


def test_challenges_of_several_headers() -> None:
    assert [c.scheme for c in parse(["Bearer realm=a", "Basic realm=b"])] == ["bearer", "basic"]


@pytest.mark.parametrize(
    "header", ["a " * 20_000, 'a b="' + "\\" * 30_000, "a=" * 20_000, 'a b="c" ' * 5_000]
)
def test_nothing_takes_long(header: str) -> None:
    started = time.perf_counter()
    parse([header])
    assert time.perf_counter() - started < 0.5


def request_url(**parameters: str) -> str:
    return str(token.request_url(Challenge("bearer", parameters), "repository:a:pull"))


def test_token_request() -> None:
    assert request_url(realm="https://t/x", service="r e", scope="repository:b:pull other") == (
        "https://t/x?service=r+e&scope=repository%3Ab%3Apull&scope=other"
    )
    assert request_url(realm="https://t/x?y=z") == "https://t/x?y=z&scope=repository%3Aa%3Apull"
    assert request_url(service="s") == "None"
    assert request_url(realm="t/x") == "None"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"token": "t"}, ("t", 50)),
        ({"access_token": "a"}, ("a", 50)),
        ({"token": "t", "access_token": "a", "expires_in": 300}, ("t", 290)),
        ({"token": "t", "expires_in": 5}, ("t", 50)),
        ({"token": "t", "expires_in": 10**12}, ("t", 24 * 3600 - 10)),
        ({"token": "t", "expires_in": "soon"}, ("t", 50)),
        ({"token": "t", "expires_in": None}, ("t", 50)),
        ({"token": "t", "expires_in": float("nan")}, ("t", 50)),
        ({"token": ""}, None),
        ({"token": 1}, None),
        ({"token": "a\r\nb: c"}, None),
        ({"token": "ä"}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_token_answer(answer: object, expected: tuple[str, float] | None) -> None:
    assert token.read(json.dumps(answer).encode()) == expected


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_token_answer_that_is_not_json(body: bytes) -> None:
    assert token.read(body) is None
