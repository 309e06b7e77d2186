"""The grammar of image references, as the container runtimes read them.

Source of every rule here: the ``distribution/reference`` module, version 0.6 (``regexp.go`` and
``normalize.go``), which containerd, CRI-O and the kubelet use.
"""

import re
from typing import NamedTuple

DOCKER_HUB = "docker.io"
LEGACY_DOCKER_HUB = "index.docker.io"
OFFICIAL_REPOSITORY = "library"
MAX_PATH_LENGTH = 255

_DOCKER_HUB_NAMES = ("", DOCKER_HUB, LEGACY_DOCKER_HUB)

# `++` gives nothing back where that could not help, so that no text takes long. On single
# characters only: on groups it matches wrongly in Python 3.11 up to 3.11.4 (gh-106052).
_HOST_LABEL = r"[a-zA-Z0-9]++(?:-++[a-zA-Z0-9]++)*"
_HOST = rf"(?:{_HOST_LABEL}(?:\.{_HOST_LABEL})*|\[[a-fA-F0-9:]++\])"
_PORT = r":[0-9]++"
_COMPONENT = r"[a-z0-9]++(?:(?:[._]|__|-++)[a-z0-9]++)*"
_PATH = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}"

_REFERENCE = re.compile(rf"(?:({_HOST})({_PORT})?/)?({_PATH})((?::{_TAG})?(?:@(?:{_DIGEST}))?)")
_IS_REGISTRY = re.compile(rf"{_HOST}(?:{_PORT})?")
_IS_PATH = re.compile(_PATH)
_IS_TAG = re.compile(_TAG)
_IS_DIGEST = re.compile(_DIGEST)
_IS_IDENTIFIER = re.compile(r"[a-f0-9]{64}")


class InvalidReference(ValueError):
    """Says in words why a text is not an image reference."""


class Reference(NamedTuple):
    """An image reference taken apart.

    ``registry``, ``path`` and ``suffix`` are as written: ``registry`` is "" where the text names
    none; ``suffix`` is the tag and the digest with their separators (``:1.25@sha256:…``), or "".

    ``host``, ``port`` and ``full_path`` are what that means: Docker Hub is ``docker.io`` where no
    registry is written, or by its old name; ``port`` has its ``:`` or is ""; and the path of
    Docker Hub's own images has its ``library/``.
    """

    registry: str
    path: str
    suffix: str
    host: str
    port: str
    full_path: str

    @property
    def repository(self) -> str:
        """Registry and path, both filled in: ``docker.io/library/nginx`` for ``nginx``."""
        return f"{self.host}{self.port}/{self.full_path}"

    def __str__(self) -> str:
        """The reference as it was written."""
        name = f"{self.registry}/{self.path}" if self.registry else self.path
        return name + self.suffix


def is_registry_component(component: str) -> bool:
    """Whether the first component of a name with a ``/`` is a registry rather than a namespace.

    Source: ``splitDockerDomain`` of distribution/reference: it holds a ``.`` or a ``:``, is
    ``localhost``, or holds an upper-case letter.
    """
    return (
        "." in component
        or ":" in component
        or component == "localhost"
        or component != component.lower()
    )


def is_registry(text: str) -> bool:
    """Whether ``text`` is the host, with or without a port, of a registry."""
    return _IS_REGISTRY.fullmatch(text) is not None


def is_path(text: str) -> bool:
    """Whether ``text`` is a repository path: lower-case components joined by ``/``."""
    return _IS_PATH.fullmatch(text) is not None and len(text) <= MAX_PATH_LENGTH


def normalise_registry(registry: str) -> str:
    """Give the registry that ``registry`` means: "" and ``index.docker.io`` are ``docker.io``."""
    return DOCKER_HUB if registry in _DOCKER_HUB_NAMES else registry


def split_port(registry: str) -> tuple[str, str]:
    """Split ``host:5000`` into ``("host", ":5000")``; the port is "" where there is none."""
    host, colon, port = registry.rpartition(":")
    if colon and not port.endswith("]"):
        return host, ":" + port
    return registry, ""


def parse(text: str) -> Reference | None:
    """Take an image reference apart.

    Takes any text and gives its parts, or None where it is not a reference (``explain`` says why).
    Never raises.
    """
    match = _REFERENCE.fullmatch(text)
    if match is None:
        return None
    host, port, path, suffix = match.groups("")
    if not host:
        if not suffix and _IS_IDENTIFIER.fullmatch(text):
            return None
        # A component with an underscore cannot be a host to the grammar, and is one to the rule
        # that tells registries from namespaces.
        first, slash, rest = path.partition("/")
        if slash and is_registry_component(first):
            host, path = first, rest
    elif not port and not is_registry_component(host):
        if host.startswith("["):
            # The grammar takes it for an IPv6 address, and the rule for a namespace.
            return None
        host, path = "", f"{host}/{path}"
    registry = host + port
    full_path = path
    if registry in _DOCKER_HUB_NAMES:
        host = DOCKER_HUB
        if "/" not in path:
            full_path = f"{OFFICIAL_REPOSITORY}/{path}"
    if len(full_path) > MAX_PATH_LENGTH:
        return None
    return Reference(registry, path, suffix, host, port, full_path)


def require(text: str) -> Reference:
    """Take an image reference apart, or raise.

    Raises:
        InvalidReference: with the reason in words, where ``text`` is not a reference.
    """
    reference = parse(text)
    if reference is None:
        raise InvalidReference(explain(text))
    return reference


def explain(text: str) -> str:
    """Say in words why ``text`` is not a valid reference; "" where it is one."""
    if parse(text) is not None:
        return ""
    if not text:
        return "it is empty"
    if "://" in text:
        scheme, _, rest = text.partition("://")
        return f"it is a URL; write `{rest}` without `{scheme}://`"
    blank = next((c for c in text if c.isspace()), None)
    if blank is not None:
        return f"it holds white space ({blank!r})"
    if _IS_IDENTIFIER.fullmatch(text):
        return "64 hexadecimal digits alone are an image ID, not a name"
    name, at, digest = text.partition("@")
    if at and not _IS_DIGEST.fullmatch(digest):
        return (
            f"its digest `{digest}` is not one: `sha256:` and 64 lower-case hexadecimal digits "
            "(or sha384 with 96, sha512 with 128)"
        )
    head, slash, last = name.rpartition("/")
    last, colon, tag = last.partition(":")
    if colon and not _IS_TAG.fullmatch(tag):
        return (
            f"its tag `{tag}` is not one: letters, digits, `_`, `.` and `-`, at most 128, "
            "not starting with `.` or `-`"
        )
    return _explain_name(head + slash + last)


def _explain_name(name: str) -> str:
    first, slash, rest = name.partition("/")
    if slash and is_registry_component(first):
        if not is_registry(first) and not is_path(first):
            return f"`{first}` is not a registry's host name (and port, in digits)"
        path = rest
    else:
        path = name
    if not path:
        return "it names no repository"
    if path != path.lower():
        return f"a repository is lower-case: `{path.lower()}`"
    for component in path.split("/"):
        if not component:
            return "it has an empty path component (`//`, or a `/` at an end)"
        if not _IS_PATH.fullmatch(component):
            return (
                f"`{component}` is not a path component: lower-case letters and digits, with "
                "single `.`, `_`, `__` or any number of `-` between them"
            )
    return f"its repository path is longer than {MAX_PATH_LENGTH} characters"
