import errno
import socket
import ssl

import pytest

from imageswap.registry.verdict import BrokenAnswer, Outcome, Reason, Verdict, of_error, of_status


@pytest.mark.parametrize(
    ("status", "reason", "outcome", "failed"),
    [
        (200, Reason.FOUND, Outcome.FOUND, False),
        (404, Reason.NOT_FOUND, Outcome.MISSING, False),
        (401, Reason.UNAUTHORIZED, Outcome.DENIED, False),
        (403, Reason.UNAUTHORIZED, Outcome.DENIED, False),
        (429, Reason.RATE_LIMITED, Outcome.DENIED, False),
        (500, Reason.SERVER_ERROR, Outcome.MISSING, True),
        (503, Reason.SERVER_ERROR, Outcome.MISSING, True),
        (204, Reason.UNEXPECTED, Outcome.MISSING, False),
        (304, Reason.UNEXPECTED, Outcome.MISSING, False),
        (400, Reason.UNEXPECTED, Outcome.MISSING, False),
        (405, Reason.UNEXPECTED, Outcome.MISSING, False),
    ],
)
def test_status(status: int, reason: Reason, outcome: Outcome, failed: bool) -> None:
    verdict = of_status("harbor.example", status)
    assert verdict.reason is reason
    assert verdict.outcome is outcome
    assert verdict.swaps is (outcome is not Outcome.MISSING)
    assert verdict.registry_failed is failed
    assert "harbor.example" in verdict.text


def tls_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, "text of OpenSSL")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "reason", "outcome"),
    [
        (ConnectionRefusedError(), Reason.REFUSED, Outcome.MISSING),
        (ConnectionResetError(errno.ECONNRESET, "reset"), Reason.UNREACHABLE, Outcome.MISSING),
        (OSError(errno.EHOSTUNREACH, "No route to host"), Reason.UNREACHABLE, Outcome.MISSING),
        (OSError(), Reason.UNREACHABLE, Outcome.MISSING),
        (TimeoutError(errno.ETIMEDOUT, "timed out"), Reason.TIMED_OUT, Outcome.MISSING),
        (socket.gaierror(socket.EAI_NONAME, "not known"), Reason.UNRESOLVED, Outcome.MISSING),
        (UnicodeError("label too long"), Reason.UNRESOLVED, Outcome.MISSING),
        (BrokenAnswer("its answer is not HTTP"), Reason.BROKEN, Outcome.MISSING),
        (tls_error("WRONG_VERSION_NUMBER"), Reason.TLS, Outcome.MISSING),
        (ssl.SSLError(), Reason.TLS, Outcome.MISSING),
        (tls_error("TLSV13_ALERT_CERTIFICATE_REQUIRED"), Reason.CERTIFICATE, Outcome.DENIED),
        (tls_error("SSLV3_ALERT_BAD_CERTIFICATE"), Reason.CERTIFICATE, Outcome.DENIED),
        (ssl.SSLCertVerificationError(), Reason.CERTIFICATE, Outcome.DENIED),
        (KeyError("s3cret"), Reason.INTERNAL, Outcome.MISSING),
    ],
)
def test_error(error: Exception, reason: Reason, outcome: Outcome) -> None:
    verdict = of_error("harbor.example", error)
    assert (verdict.reason, verdict.outcome) == (reason, outcome)
    assert "harbor.example" in verdict.text
    assert "s3cret" not in verdict.text


def test_internal_error_says_where() -> None:
    def fails() -> Verdict:
        raise ValueError("s3cret")

    try:
        fails()
    except ValueError as error:
        text = of_error("r.example", error).text
    assert "ValueError at test_verdict.py:" in text
    assert "s3cret" not in text
