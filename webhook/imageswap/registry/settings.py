"""What an operator can say of a registry, and the bounds of asking."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


class InvalidSettings(ValueError):
    """Says in words what is wrong with the settings of a registry."""


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """How a registry is spoken to.

    ``ca`` is one or more certificates in PEM, trusted besides those of the system.
    ``insecure_skip_verify`` trusts any certificate. ``scheme`` ``http`` speaks plain HTTP, which is
    never done otherwise. The token server of a registry, and where the registry redirects to, are
    spoken to with the registry's own settings, as containerd does, unless they have settings.
    """

    ca: str = ""
    insecure_skip_verify: bool = False
    scheme: Literal["https", "http"] = "https"


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of asking.

    ``call_seconds`` is how long one call of the checker takes at most, and ``request_seconds`` how
    long a registry may take: longer, so that a slow answer is there for the next call.
    ``found_seconds`` and ``other_seconds`` are how long an image that is there, and any other
    answer, is remembered, and ``remembered`` how many are. After ``failures`` failures in a row a
    registry is not asked for ``pause_seconds``. ``connections`` is how many requests one registry
    gets at a time, and ``waiting`` how many may wait besides.
    """

    call_seconds: float = 1.0
    request_seconds: float = 3.0
    found_seconds: float = 600.0
    other_seconds: float = 30.0
    remembered: int = 4096
    failures: int = 3
    pause_seconds: float = 15.0
    connections: int = 32
    waiting: int = 1024


class Registries:
    """The settings of registries, by registry as an image names it (``host`` or ``host:port``).

    Raises:
        InvalidSettings: where a scheme is none, or a CA is not PEM.
    """

    def __init__(self, settings: Mapping[str, RegistrySettings]) -> None:
        self._settings = {registry.lower(): found for registry, found in settings.items()}
        self._default = RegistrySettings()
        # Made once and ahead: reading the system's certificates takes tens of milliseconds.
        self._contexts = {_trust(self._default): _context(self._default)}
        for registry, found in settings.items():
            if found.scheme not in ("https", "http"):
                raise InvalidSettings(f"{registry}: the scheme is `https` or `http`")
            if _trust(found) not in self._contexts:
                try:
                    self._contexts[_trust(found)] = _context(found)
                except (ssl.SSLError, ValueError):
                    raise InvalidSettings(
                        f"{registry}: the CA is not one or more certificates in PEM"
                    ) from None

    def of(self, registry: str, otherwise: RegistrySettings | None = None) -> RegistrySettings:
        """Give the settings of a registry, or ``otherwise``, or the default."""
        return self._settings.get(registry.lower(), otherwise or self._default)

    def context(self, settings: RegistrySettings) -> ssl.SSLContext:
        """Give what TLS is spoken with; ``settings`` is what ``of`` gave."""
        return self._contexts[_trust(settings)]


def _trust(settings: RegistrySettings) -> tuple[str, bool]:
    return settings.ca, settings.insecure_skip_verify


def _context(settings: RegistrySettings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    # Python 3.13 would refuse private CAs that the container runtimes take.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.set_alpn_protocols(["http/1.1"])
    if settings.ca:
        context.load_verify_locations(cadata=_certificates(settings.ca))
    if settings.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _certificates(pem: str) -> str:
    """Leave out what stands between certificates: often names, which need not be ASCII.

    Raises:
        ValueError: where there is no certificate.
    """
    certificates = _CERTIFICATE.findall(pem)
    if not certificates:
        raise ValueError("no certificate")
    return "\n".join(certificates)
