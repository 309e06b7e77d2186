"""The grammar of image references.

The cases follow ``reference_test.go`` and ``normalize_test.go`` of distribution/reference 0.6.
"""

import pytest

from imageswap.rules import reference
from imageswap.rules.reference import InvalidReference

SHA256 = "sha256:" + "a" * 64
SHA384 = "sha384:" + "b" * 96
SHA512 = "sha512:" + "c" * 128


@pytest.mark.parametrize(
    ("text", "registry", "path", "suffix"),
    [
        ("nginx", "", "nginx", ""),
        ("nginx:1.25", "", "nginx", ":1.25"),
        ("bitnami/redis", "", "bitnami/redis", ""),
        ("test_com/repo", "", "test_com/repo", ""),
        ("quay.io/team/app:1.2.3", "quay.io", "team/app", ":1.2.3"),
        ("quay.io:443/app", "quay.io:443", "app", ""),
        ("registry:5000/app", "registry:5000", "app", ""),
        ("localhost/app", "localhost", "app", ""),
        ("localhost:5000/app", "localhost:5000", "app", ""),
        ("localhosts/app", "", "localhosts/app", ""),
        ("Mirror/app", "Mirror", "app", ""),
        ("EXAMPLE.com/app", "EXAMPLE.com", "app", ""),
        ("xn--n3h.com/app", "xn--n3h.com", "app", ""),
        ("192.0.2.1:5000/app", "192.0.2.1:5000", "app", ""),
        ("[2001:db8::1]/app", "[2001:db8::1]", "app", ""),
        ("[2001:db8::1]:5000/team/app:1", "[2001:db8::1]:5000", "team/app", ":1"),
        ("[::1]:5000/app", "[::1]:5000", "app", ""),
        ("a.io/under_score", "a.io", "under_score", ""),
        ("a.io/two__under", "a.io", "two__under", ""),
        ("a.io/many----dashes", "a.io", "many----dashes", ""),
        ("a.io/dots.and.dots", "a.io", "dots.and.dots", ""),
        ("under_score.io/app", "under_score.io", "app", ""),
        ("app:Upper_Case.Tag-1", "", "app", ":Upper_Case.Tag-1"),
        ("app:_tag", "", "app", ":_tag"),
        (f"app@{SHA256}", "", "app", f"@{SHA256}"),
        (f"app@{SHA384}", "", "app", f"@{SHA384}"),
        (f"app@{SHA512}", "", "app", f"@{SHA512}"),
        (f"a.io/app:1@{SHA256}", "a.io", "app", f":1@{SHA256}"),
        ("app:" + "t" * 128, "", "app", ":" + "t" * 128),
        ("a.io/" + "p" * 255, "a.io", "p" * 255, ""),
        ("p" * 247, "", "p" * 247, ""),
        ("a" * 63, "", "a" * 63, ""),
        ("a" * 64 + ":1", "", "a" * 64, ":1"),
        ("team/" + "a" * 64, "", "team/" + "a" * 64, ""),
        ("a:5000/b", "a:5000", "b", ""),
        ("index.docker.io/nginx", "index.docker.io", "nginx", ""),
    ],
)
def test_valid(text: str, registry: str, path: str, suffix: str) -> None:
    parsed = reference.parse(text)
    assert parsed is not None
    assert parsed[:3] == (registry, path, suffix)
    assert str(parsed) == text
    assert reference.explain(text) == ""
    assert reference.require(text) == parsed


@pytest.mark.parametrize(
    ("text", "host", "port", "full_path"),
    [
        ("nginx", "docker.io", "", "library/nginx"),
        ("bitnami/redis", "docker.io", "", "bitnami/redis"),
        ("docker.io/nginx", "docker.io", "", "library/nginx"),
        ("docker.io/library/nginx", "docker.io", "", "library/nginx"),
        ("index.docker.io/nginx", "docker.io", "", "library/nginx"),
        ("index.docker.io/bitnami/redis", "docker.io", "", "bitnami/redis"),
        ("docker.io:443/nginx", "docker.io", ":443", "nginx"),
        ("quay.io/app", "quay.io", "", "app"),
        ("quay.io:8443/team/app", "quay.io", ":8443", "team/app"),
        ("[::1]:5000/app", "[::1]", ":5000", "app"),
        ("[::1]/app", "[::1]", "", "app"),
    ],
)
def test_what_the_parts_mean(text: str, host: str, port: str, full_path: str) -> None:
    parsed = reference.require(text)
    assert (parsed.host, parsed.port, parsed.full_path) == (host, port, full_path)
    assert parsed.repository == f"{host}{port}/{full_path}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("https://quay.io/app", "write `quay.io/app`"),
        ("quay.io/a b", "white space"),
        ("app\n", "white space"),
        ("a" * 64, "image ID"),
        ("app:", "tag"),
        ("app:-tag", "tag"),
        ("app:.tag", "tag"),
        ("app:a:b", "tag"),
        ("app:" + "t" * 129, "tag"),
        ("app@", "digest"),
        ("app@sha256:" + "a" * 63, "digest"),
        ("app@sha256:" + "a" * 65, "digest"),
        ("app@sha256:" + "A" * 64, "digest"),
        ("app@sha384:" + "a" * 64, "digest"),
        ("app@sha512:" + "a" * 64, "digest"),
        ("app@md5:" + "a" * 32, "digest"),
        ("Nginx", "lower-case: `nginx`"),
        ("quay.io/Team/app", "lower-case: `team/app`"),
        ("quay.io/", "no repository"),
        ("/app", "`//`"),
        ("quay.io//app", "`//`"),
        ("app/", "`//`"),
        ("team/app/:1", "`//`"),
        ("-app", "`-app` is not a path component"),
        ("app-", "`app-` is not a path component"),
        ("quay.io/a..b", "`a..b` is not a path component"),
        ("quay.io/a___b", "`a___b` is not a path component"),
        ("quay.io/a._b", "`a._b` is not a path component"),
        ("quay.io/ä", "`ä` is not a path component"),
        ("quay.io:port/app", "`quay.io:port` is not a registry"),
        ("-a.io/app", "`-a.io` is not a registry"),
        ("a-.io/app", "`a-.io` is not a registry"),
        ("under_score:5000/app", "`under_score:5000` is not a registry"),
        ("[b]/app", "`[b]` is not a path component"),
        ("[2001:db8::1/app", "`[2001:db8::1` is not a registry"),
        ("[fe80::1%eth0]:5000/app", "not a registry"),
        ("2001:db8::1/app", "not a registry"),
        ("a.io/" + "p" * 256, "longer than 255"),
        ("p" * 248, "longer than 255"),
    ],
)
def test_invalid(text: str, reason: str) -> None:
    assert reference.parse(text) is None
    assert reason in reference.explain(text)
    with pytest.raises(InvalidReference) as caught:
        reference.require(text)
    assert str(caught.value) == reference.explain(text)


@pytest.mark.parametrize(
    ("registry", "host", "port"),
    [
        ("quay.io", "quay.io", ""),
        ("quay.io:443", "quay.io", ":443"),
        ("[::1]", "[::1]", ""),
        ("[::1]:443", "[::1]", ":443"),
        ("", "", ""),
    ],
)
def test_split_port(registry: str, host: str, port: str) -> None:
    assert reference.split_port(registry) == (host, port)


def test_a_text_made_to_be_slow_is_read_at_once() -> None:
    # Ten thousand characters would take hours where the grammar backtracks.
    for piece in ("a", "a-", "a_", "a.", "a/", "a:"):
        assert reference.parse(piece * 5000 + "!") is None
