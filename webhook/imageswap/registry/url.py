"""The URLs that are asked: a small part of RFC 3986, with what HTTP does not allow left out."""

import re
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

_PORTS = {"https": 443, "http": 80}
# `urlsplit` drops line ends and tabs silently.
_IS_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")


class Url(NamedTuple):
    """An ``http`` or ``https`` URL; ``target`` is its path and query as a request line has them."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: what credentials are good for (RFC 6454)."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """The host, and the port where it is not the scheme's own, as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        """The URL as it is written."""
        return f"{self.scheme}://{self.authority}{self.target}"


def parse(text: str) -> Url | None:
    """Take a URL apart.

    Takes any text; gives None where it is not an absolute ``http`` or ``https`` URL, or where it
    holds credentials, which are never meant to be sent.
    """
    if not _IS_VISIBLE_ASCII.fullmatch(text):
        return None
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host or port == 0 or "@" in parts.netloc:
        return None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Url(parts.scheme, host, port or _PORTS[parts.scheme], target)


def join(base: Url, reference: str) -> Url | None:
    """Resolve a reference such as a ``Location`` header against a URL; None where it is not one."""
    try:
        return parse(urljoin(str(base), reference))
    except ValueError:
        return None
