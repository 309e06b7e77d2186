"""Reads when a certificate expires.

Source: RFC 5280, sections 4.1 and 4.1.2.5; the standard library reads certificates only of peers.
"""

import ssl
from datetime import UTC, datetime

_SEQUENCE, _CONTEXT_0, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18
_END = "-----END CERTIFICATE-----"


def expiry(pem: str) -> datetime:
    """Give when the first certificate of a chain, the leaf, expires.

    Takes the chain, PEM.

    Raises:
        ValueError: where it does not start with a certificate.
    """
    first, end, _ = pem.partition(_END)
    start = first.find("-----BEGIN CERTIFICATE-----")
    if not end or start < 0:
        raise ValueError("there is no PEM certificate in it")
    try:
        return _not_after(ssl.PEM_cert_to_DER_cert(first[start:] + end))
    except IndexError:
        raise ValueError("its certificate is cut short") from None


def _not_after(der: bytes) -> datetime:
    _, certificate, _ = _element(der, 0)
    _, body, _ = _element(certificate, 0)
    tag, _, after_version = _element(body, 0)
    at = after_version if tag == _CONTEXT_0 else 0
    for _field in ("serialNumber", "signature", "issuer"):
        _, _, at = _element(body, at)
    tag, validity, _ = _element(body, at)
    if tag != _SEQUENCE:
        raise ValueError("its certificate has no validity where one belongs")
    _, _, at = _element(validity, 0)
    tag, text, _ = _element(validity, at)
    if tag == _UTC_TIME:
        # Two digits of a year: 50 to 99 are of the last century.
        century = b"19" if text[:2] >= b"50" else b"20"
        text = century + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("its certificate's end is not a time")
    return datetime.strptime(text.decode("ascii"), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _element(der: bytes, at: int) -> tuple[int, bytes, int]:
    """Give the tag and the content of the DER element at a place, and the place after it."""
    tag, length, start = der[at], der[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(der[start : start + size])
        start += size
    return tag, der[start : start + length], start + length
