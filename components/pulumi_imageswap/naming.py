"""Names of objects that end in the hash of what they hold."""

import hashlib

_HASH_LENGTH = 12


def by_digest(name: str, digest: str) -> str:
    """Name an object by the hexadecimal digest of its content."""
    return f"{name}-{digest[:_HASH_LENGTH]}"


def by_text(name: str, text: str) -> str:
    """Name an object by the SHA-256 of its text."""
    return by_digest(name, hashlib.sha256(text.encode()).hexdigest())
