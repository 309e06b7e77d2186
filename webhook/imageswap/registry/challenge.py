"""What a registry that answers 401 asks for: the ``WWW-Authenticate`` header.

Source: RFC 9110, sections 5.6 and 11.6.1.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

BEARER = "bearer"
BASIC = "basic"

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"  # noqa: S105 - the grammar's name for a word
_SEPARATORS = re.compile(r"[ \t,]*+")
_SCHEME = re.compile(rf"({_TOKEN})(?=[ \t]|,|$)")
# Possessive on single characters only: see the regular expressions of references.
_QUOTED = r'"([^"\\]*+(?:\\.[^"\\]*+)*)"'
_PARAMETER = re.compile(rf"({_TOKEN})[ \t]*+=[ \t]*+(?:({_TOKEN})|{_QUOTED})(?=[ \t]|,|$)")
_TOKEN68 = re.compile(r"[0-9A-Za-z\-._~+/]++=*+(?=[ \t]*+(?:,|$))")
_QUOTED_PAIR = re.compile(r"\\(.)")


class Challenge(NamedTuple):
    """One challenge: its scheme and the names of its parameters are in lower case."""

    scheme: str
    parameters: Mapping[str, str]


def parse(headers: Iterable[str]) -> tuple[Challenge, ...]:
    """Read challenges.

    Takes the values of all ``WWW-Authenticate`` headers; gives the challenges in their order. What
    comes after a part that is malformed is left out. Never raises.
    """
    return tuple(challenge for header in headers for challenge in _challenges(header))


def _challenges(header: str) -> Iterator[Challenge]:
    scheme, parameters = "", dict[str, str]()
    position = _past_separators(header, 0)
    while position < len(header):
        parameter = _PARAMETER.match(header, position) if scheme else None
        if parameter:
            name, word, quoted = parameter.groups()
            value = word if quoted is None else _QUOTED_PAIR.sub(r"\1", quoted)
            parameters.setdefault(name.lower(), value)
            end = parameter.end()
        elif word := _SCHEME.match(header, position):
            if scheme:
                yield Challenge(scheme, parameters)
            scheme, parameters = word[1].lower(), {}
            end = _past_token68(header, word.end())
        else:
            break
        position = _past_separators(header, end)
    if scheme:
        yield Challenge(scheme, parameters)


def _past_separators(header: str, position: int) -> int:
    match = _SEPARATORS.match(header, position)
    return match.end() if match else position


def _past_token68(header: str, position: int) -> int:
    """Step over what ``Negotiate`` and its like have in place of parameters."""
    start = position
    while header[start : start + 1] in (" ", "\t"):
        start += 1
    match = _TOKEN68.match(header, start) if start > position else None
    return match.end() if match else position
