"""What is known of an image after its registry was asked, and what each answer means.

Source of what an answer means: the OCI distribution specification 1.1 ("Checking if content exists
in the registry", "Error Codes") and RFC 9110, section 15.
"""

import socket
import ssl
import traceback
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class Outcome(StrEnum):
    """What follows for the image.

    ``FOUND`` and ``DENIED`` are swapped, ``MISSING`` keeps its source. ``DENIED`` is there but not
    for us: the node may have credentials and certificates that the webhook has not.
    """

    FOUND = "found"
    MISSING = "missing"
    DENIED = "denied"


class Reason(StrEnum):
    """Why, in one word for a metric; the number of them is fixed."""

    FOUND = "found"

    UNAUTHORIZED = "unauthorized"
    RATE_LIMITED = "rate_limited"
    CERTIFICATE = "certificate"

    NOT_FOUND = "not_found"
    UNEXPECTED = "unexpected"
    REDIRECT = "redirect"
    INVALID = "invalid"

    UNRESOLVED = "unresolved"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    BROKEN = "broken"
    TIMED_OUT = "timed_out"
    SERVER_ERROR = "server_error"

    PAUSED = "paused"
    BUSY = "busy"
    CLOSED = "closed"
    INTERNAL = "internal"


_DENIED = frozenset({Reason.UNAUTHORIZED, Reason.RATE_LIMITED, Reason.CERTIFICATE})
# Those that say of the registry, and not of the one image, that it does not work.
_FAILED = frozenset(
    {
        Reason.UNRESOLVED,
        Reason.REFUSED,
        Reason.UNREACHABLE,
        Reason.TLS,
        Reason.BROKEN,
        Reason.TIMED_OUT,
        Reason.SERVER_ERROR,
    }
)
# How OpenSSL names the alerts of a server that wants a certificate of the client (RFC 8446, 6.2).
_CLIENT_CERTIFICATE_ALERTS = ("ALERT_CERTIFICATE_REQUIRED", "ALERT_BAD_CERTIFICATE")


class Verdict(NamedTuple):
    """What is known of an image.

    ``reason`` is for metrics; ``text`` is for people, names the registry and holds nothing that the
    registry wrote.
    """

    reason: Reason
    text: str

    @property
    def outcome(self) -> Outcome:
        """What follows for the image."""
        if self.reason is Reason.FOUND:
            return Outcome.FOUND
        return Outcome.DENIED if self.reason in _DENIED else Outcome.MISSING

    @property
    def swaps(self) -> bool:
        """Whether the image is swapped."""
        return self.outcome is not Outcome.MISSING

    @property
    def registry_failed(self) -> bool:
        """Whether the registry itself did not work, so that other images would fare alike."""
        return self.reason in _FAILED


class BrokenAnswer(Exception):
    """Says in words why what a server sent is not an answer; quotes nothing of it."""


def of_status(who: str, status: int) -> Verdict:
    """Give the verdict of a final HTTP status.

    Takes the server's name for the text and the status, which is the one after the token flow.
    """
    if status == 200:
        return Verdict(Reason.FOUND, f"{who} has it")
    if status == 404:
        return Verdict(Reason.NOT_FOUND, f"{who} answers 404: it has no such image")
    if status in (401, 403):
        return Verdict(
            Reason.UNAUTHORIZED, f"{who} answers {status}: the webhook may not see the image"
        )
    if status == 429:
        return Verdict(Reason.RATE_LIMITED, f"{who} answers 429: too many requests")
    if status >= 500:
        return Verdict(Reason.SERVER_ERROR, f"{who} answers {status}")
    return Verdict(Reason.UNEXPECTED, f"{who} answers {status}, which is no answer to the question")


def of_error(who: str, error: Exception) -> Verdict:
    """Give the verdict where there is no HTTP status.

    Takes the server's name for the text and what was raised; any exception will do.
    """
    if isinstance(error, BrokenAnswer):
        return Verdict(Reason.BROKEN, f"{who}: {error}")
    if isinstance(error, ssl.SSLCertVerificationError):
        why = getattr(error, "verify_message", "") or "not valid"
        return Verdict(Reason.CERTIFICATE, f"the certificate of {who} is not trusted: {why}")
    if isinstance(error, ssl.SSLError):
        return _of_tls_error(who, error)
    if isinstance(error, socket.gaierror):
        return Verdict(Reason.UNRESOLVED, f"the name of {who} does not resolve: {error.strerror}")
    if isinstance(error, UnicodeError):
        # The codec of host names (RFC 3490) raises it for labels that are too long.
        return Verdict(Reason.UNRESOLVED, f"the name of {who} is not a host name")
    if isinstance(error, ConnectionRefusedError):
        return Verdict(Reason.REFUSED, f"{who} refuses connections")
    if isinstance(error, TimeoutError):
        return Verdict(Reason.TIMED_OUT, f"{who} does not answer")
    if isinstance(error, OSError):
        why = error.strerror or type(error).__name__
        return Verdict(Reason.UNREACHABLE, f"{who} cannot be reached: {why}")
    # Its message is left out: it may quote a header with a secret.
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" at {Path(entry.filename).name}:{entry.lineno}" for entry in frame)
    return Verdict(
        Reason.INTERNAL, f"asking {who} met an internal error: {type(error).__name__}{where}"
    )


def _of_tls_error(who: str, error: ssl.SSLError) -> Verdict:
    # An error that Python makes, and not OpenSSL, has none.
    reason = getattr(error, "reason", "") or ""
    if reason.endswith(_CLIENT_CERTIFICATE_ALERTS):
        return Verdict(Reason.CERTIFICATE, f"{who} wants a certificate of the client")
    why = reason.lower().replace("_", " ") or "the connection ended"
    return Verdict(Reason.TLS, f"{who} does not speak TLS as it should: {why}")
