"""Tokens for a registry: how one is asked for, and what the answer says.

Source: distribution's "Docker Registry v2 authentication via central service", and RFC 6750 for
how a token is sent.
"""

import json
import math
import re
from typing import NamedTuple
from urllib.parse import urlencode

from imageswap.registry.challenge import Challenge
from imageswap.registry.url import Url, parse

# The specification's default and least lifetime, and a longest one against nonsense.
_LEAST_SECONDS = 60.0
_MOST_SECONDS = 24 * 3600.0
# A token that ends while it is under way costs two requests more.
_MARGIN_SECONDS = 10.0
# More than RFC 6750 allows, since registries send more, but nothing that could end a header.
_IS_TOKEN = re.compile(r"[\x21-\x7e]+")


class Token(NamedTuple):
    """A token, and for how many seconds it may be used."""

    value: str
    seconds: float


def request_url(challenge: Challenge, default_scope: str) -> Url | None:
    """Give the URL to get a token from.

    Takes a Bearer challenge, and the scope to ask for where it names none. Gives None where its
    realm is not a URL.
    """
    realm = parse(challenge.parameters.get("realm", ""))
    if realm is None:
        return None
    query = [("service", challenge.parameters.get("service", ""))]
    query += [("scope", scope) for scope in _scopes(challenge, default_scope)]
    separator = "&" if "?" in realm.target else "?"
    encoded = urlencode([(name, value) for name, value in query if value])
    return realm._replace(target=f"{realm.target}{separator}{encoded}")


def read(body: bytes) -> Token | None:
    """Read the answer of a token server; None where it holds no token. Never raises."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict):
        return None
    value = answer.get("token") or answer.get("access_token")
    if not isinstance(value, str) or not _IS_TOKEN.fullmatch(value):
        return None
    return Token(value, _lifetime(answer.get("expires_in")) - _MARGIN_SECONDS)


def _scopes(challenge: Challenge, default: str) -> list[str]:
    return challenge.parameters.get("scope", "").split() or [default]


def _lifetime(seconds: object) -> float:
    if isinstance(seconds, int | float) and not math.isnan(seconds):
        return min(max(seconds, _LEAST_SECONDS), _MOST_SECONDS)
    return _LEAST_SECONDS
