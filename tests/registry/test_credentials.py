import base64
import json
from typing import Any

import pytest

from imageswap.registry.credentials import Credentials, InvalidCredentials, Keyring, read


def auth(pair: str) -> dict[str, str]:
    return {"auth": base64.b64encode(pair.encode()).decode()}


def keyring(auths: dict[str, Any]) -> Keyring:
    return read(json.dumps({"auths": auths}))


@pytest.mark.parametrize(
    ("key", "registry", "repository", "matches"),
    [
        ("r.example", "r.example", "a/b", True),
        ("https://r.example", "r.example", "a/b", True),
        ("https://r.example/", "r.example", "a/b", True),
        ("http://r.example/v2/", "r.example", "a/b", True),
        ("https://r.example/v1/", "r.example", "a/b", True),
        ("r.example", "r.example:5000", "a", False),
        ("r.example:5000", "r.example:5000", "a", True),
        ("r.example:5000", "r.example", "a", False),
        ("r.example/a", "r.example", "a/b", True),
        ("r.example/a", "r.example", "b/a", False),
        ("r.example", "x.r.example", "a", False),
        ("*.example", "r.example", "a", True),
        ("*.example", "x.r.example", "a", False),
        ("r*.example", "r2.example", "a", True),
        ("https://index.docker.io/v1/", "docker.io", "library/nginx", True),
        ("index.docker.io", "docker.io", "library/nginx", True),
        ("docker.io", "docker.io", "library/nginx", True),
        ("docker.io/team", "docker.io", "library/nginx", False),
        ("https://index.docker.io/v1/", "quay.io", "nginx", False),
        ("[::1]:5000", "[::1]:5000", "a", True),
    ],
)
def test_keys_match_as_for_the_kubelet(
    key: str, registry: str, repository: str, matches: bool
) -> None:
    found = keyring({key: auth("user:pass")}).find(registry, repository)
    assert found == (Credentials("user", "pass") if matches else None)


def test_longer_path_wins() -> None:
    ring = keyring({"r.example": auth("host:1"), "r.example/team": auth("team:2")})
    assert ring.find("r.example", "team/app") == Credentials("team", "2")
    assert ring.find("r.example", "other/app") == Credentials("host", "1")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (auth("user:pa:ss"), Credentials("user", "pa:ss")),
        (auth("üser:päss"), Credentials("üser", "päss")),
        ({"auth": "dXNlcjpwYXNzMQ"}, Credentials("user", "pass1")),
        ({"auth": "dXNl\ncjpwYXNz"}, Credentials("user", "pass")),
        ({"username": "user", "password": "pass"}, Credentials("user", "pass")),
        ({"username": "user", "password": "x", **auth("a:b")}, Credentials("a", "b")),
        ({"auth": "", "username": "user"}, Credentials("user", "")),
        ({"email": "a@example"}, None),
        ({"auth": None}, None),
        ({}, None),
    ],
)
def test_entries(value: dict[str, Any], expected: Credentials | None) -> None:
    assert keyring({"r.example": value}).find("r.example", "a") == expected


def test_basic() -> None:
    assert Credentials("Aladdin", "open sesame").basic() == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ('{"s3cret', "not JSON"),
        (b"\xff", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "no object `auths`"),
        ('{"r.example": {"auth": "s3cret"}}', "no object `auths`"),
        ('{"auths": ["s3cret"]}', "no object `auths`"),
        ('{"auths": {"r.example": "s3cret"}}', "`r.example` of `auths` is not an object"),
        ('{"auths": {"r.example": {"auth": "s3cret!"}}}', "`r.example` of `auths` has an `auth`"),
        ('{"auths": {"r.example": {"auth": "s3cre"}}}', "not base64"),
        ('{"auths": {"r.example": {"auth": "czNjcmV0"}}}', "`user:password`"),
        ('{"auths": {"r.example": {"auth": "////"}}}', "not base64 of text"),
        ('{"auths": {"r.example": {"username": ["s3cret"]}}}', "not text"),
        ('{"auths": {"": {"username": "s3cret"}}}', "not for a registry"),
        ('{"auths": {"x:s3cret@r.example:x": {"username": "s3cret"}}}', "`r.example:x`"),
        ('{"auths": {"https://[r.example": {"username": "s3cret"}}}', "not for a registry"),
    ],
)
def test_malformed(text: str | bytes, says: str) -> None:
    with pytest.raises(InvalidCredentials) as raised:
        read(text)
    assert says in str(raised.value)
    assert "s3cr" not in str(raised.value)
    assert "czNj" not in str(raised.value)


def test_password_is_not_printed() -> None:
    assert "s3cret" not in repr(Credentials("user", "s3cret"))
    assert "s3cret" not in repr(keyring({"r.example": auth("user:s3cret")}))
