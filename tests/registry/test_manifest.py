import pytest

from imageswap.registry import url as urls
from imageswap.registry.manifest import manifest

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("image", "url"),
    [
        ("nginx", "https://registry-1.docker.io/v2/library/nginx/manifests/latest"),
        ("docker.io/nginx:1.25", "https://registry-1.docker.io/v2/library/nginx/manifests/1.25"),
        ("index.docker.io/a/b", "https://registry-1.docker.io/v2/a/b/manifests/latest"),
        (
            "docker.io/library/nginx",
            "https://registry-1.docker.io/v2/library/nginx/manifests/latest",
        ),
        ("quay.io/nginx", "https://quay.io/v2/nginx/manifests/latest"),
        ("Harbor.Example/a", "https://harbor.example/v2/a/manifests/latest"),
        ("harbor.example:8443/a/b/c:1", "https://harbor.example:8443/v2/a/b/c/manifests/1"),
        ("harbor.example:443/a", "https://harbor.example/v2/a/manifests/latest"),
        (f"r.example/a@{DIGEST}", f"https://r.example/v2/a/manifests/{DIGEST}"),
        (f"r.example/a:1@{DIGEST}", f"https://r.example/v2/a/manifests/{DIGEST}"),
        ("localhost/a", "https://localhost/v2/a/manifests/latest"),
        ("[::1]:5000/a", "https://[::1]:5000/v2/a/manifests/latest"),
    ],
)
def test_url(image: str, url: str) -> None:
    place = manifest(image)
    assert place is not None
    assert str(place.url("https")) == url


def test_registry_is_in_lower_case() -> None:
    assert manifest("Harbor.Example/a") == manifest("harbor.example/a:latest")


def test_scope_is_the_repository() -> None:
    place = manifest("nginx:1.25")
    assert place is not None
    assert place.scope == "repository:library/nginx:pull"


@pytest.mark.parametrize(
    "image", ["", "Nginx", "a//b", "https://r.example/a", "a b", "a" * 300, "a." * 130 + "b/c"]
)
def test_what_is_no_reference_has_no_manifest(image: str) -> None:
    assert manifest(image) is None


def test_port_that_is_none_has_no_url() -> None:
    place = manifest("r.example:99999/a")
    assert place is not None
    assert place.url("https") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/v2/",
        "ftp://a/",
        "https://",
        "https:///a",
        "https://a:b/",
        "https://a:0/",
        "https://a:70000/",
        "https://user:pass@a/",
        "https://a/\r\nx: y",
        "https://a/b c",
        "https://ä/",
        "https://[::1/",
    ],
)
def test_what_is_no_url(text: str) -> None:
    assert urls.parse(text) is None


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/v2/b", "http://a:1/v2/b"),
        ("?x=1", "http://a:1/v2/a?x=1"),
        ("//b/c", "http://b/c"),
        ("https://B:443/c?d=e#f", "https://b/c?d=e"),
        ("https://[::1/", None),
        ("javascript:x", None),
    ],
)
def test_join(location: str, url: str | None) -> None:
    base = urls.parse("http://a:1/v2/a")
    assert base is not None
    joined = urls.join(base, location)
    assert (str(joined) if joined else None) == url
