"""Credentials for registries, as a Secret of type ``kubernetes.io/dockerconfigjson`` holds them.

Source: ``pkg/credentialprovider`` of Kubernetes 1.36 (``config.go`` and ``keyring.go``), which the
kubelet reads the same Secrets with.
"""

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from imageswap.rules.reference import DOCKER_HUB, LEGACY_DOCKER_HUB


class InvalidCredentials(ValueError):
    """Says in words what is wrong with a dockerconfigjson; holds no secret."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and a password; the password is left out where this is printed."""

    username: str
    password: str = field(repr=False)

    def basic(self) -> str:
        """Give the value of an ``Authorization`` header (RFC 7617)."""
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


class _Entry(NamedTuple):
    """What a key of ``auths`` matches, and its credentials."""

    key: str
    labels: tuple[str, ...]
    port: int | None
    path: str
    credentials: Credentials

    def matches(self, host: str, port: int | None, path: str) -> bool:
        labels = tuple(host.split("."))
        return (
            self.port == port
            and len(self.labels) == len(labels)
            and path.startswith(self.path)
            and all(map(fnmatchcase, labels, self.labels))
        )


class Keyring:
    """The credentials of many registries."""

    def __init__(self, entries: Iterable[_Entry] = ()) -> None:
        # The kubelet's own order, which puts the longer of two paths first.
        self._entries = sorted(entries, key=lambda entry: entry.key, reverse=True)

    def find(self, registry: str, repository: str) -> Credentials | None:
        """Give the credentials for a repository.

        Takes the registry with its port and the repository's full path; gives None where there are
        none. Of several that match, gives those that the kubelet tries first.
        """
        host, port = _host_and_port(registry)
        path = f"/{repository}"
        for entry in self._entries:
            if entry.matches(host, port, path):
                return entry.credentials
        if registry == DOCKER_HUB:
            return next((e.credentials for e in self._entries if e.key == LEGACY_DOCKER_HUB), None)
        return None


def read(text: str | bytes) -> Keyring:
    """Read a dockerconfigjson.

    Takes the JSON: ``auths``, an object of registries with ``auth`` (base64 of ``user:password``)
    or ``username`` and ``password``. A key is ``host``, ``host:port``, ``host/path``, any of them
    as a URL, or with ``*`` within a label of the host; ``https://index.docker.io/v1/`` is Docker
    Hub. Entries without credentials are passed over.

    Raises:
        InvalidCredentials: with the reason in words.
    """
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidCredentials("it is not JSON") from None
    auths = config.get("auths") if isinstance(config, dict) else None
    if not isinstance(auths, dict):
        raise InvalidCredentials("it holds no object `auths`")
    return Keyring(entry for key, value in auths.items() if (entry := _entry(key, value)))


def _entry(key: str, value: Any) -> _Entry | None:
    # A key that is a URL could hold a password, too.
    name = f"the entry `{key.rpartition('@')[2]}` of `auths`"
    credentials = _credentials(name, value)
    if credentials is None:
        return None
    location = key if key.startswith(("https://", "http://")) else f"https://{key}"
    try:
        parts = urlsplit(location)
        host, port = _host_and_port(parts.netloc)
    except ValueError:
        raise InvalidCredentials(f"{name} is not for a registry") from None
    path = parts.path
    if path.startswith(("/v1/", "/v2/")):
        path = path[len("/v1") :]
    path = "" if path == "/" else path
    return _Entry(f"{parts.netloc}{path}", tuple(host.split(".")), port, path, credentials)


def _credentials(name: str, value: Any) -> Credentials | None:
    if not isinstance(value, dict):
        raise InvalidCredentials(f"{name} is not an object")
    username, password, auth = (value.get(k) or "" for k in ("username", "password", "auth"))
    if not (isinstance(username, str) and isinstance(password, str) and isinstance(auth, str)):
        raise InvalidCredentials(f"{name} holds a user, a password or an `auth` that is not text")
    if auth:
        username, password = _decode(name, auth)
    return Credentials(username, password) if username else None


def _decode(name: str, auth: str) -> tuple[str, str]:
    stripped = "".join(auth.split()).rstrip("=")
    padded = stripped + "=" * (-len(stripped) % 4)
    try:
        username, colon, password = base64.b64decode(padded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise InvalidCredentials(f"{name} has an `auth` that is not base64 of text") from None
    if not colon:
        raise InvalidCredentials(f"{name} has an `auth` that is not base64 of `user:password`")
    return username, password


def _host_and_port(authority: str) -> tuple[str, int | None]:
    """Take ``host:port`` apart.

    Raises:
        ValueError: where it is neither that nor a host.
    """
    parts = urlsplit(f"//{authority}")
    if not parts.hostname:
        raise ValueError(authority)
    return parts.hostname, parts.port
