"""One rule of a map, as data."""

from enum import Enum
from typing import NamedTuple

from imageswap.rules.diagnostic import Origin

DEFAULT_KEY = "default"
NOSWAP_KEY = "noswap_wildcards"


class Kind(Enum):
    """The kinds of rule, in the order in which they are tried."""

    EXACT = "[EXACT]"
    REPLACE = "[REPLACE]"
    PREFIX = "prefix"
    NOSWAP = NOSWAP_KEY
    DEFAULT = DEFAULT_KEY


class Rule(NamedTuple):
    """One line of a map.

    ``key`` is what the rule applies to, without its ``[KEYWORD]`` and with ``index.docker.io``
    written ``docker.io``. ``target`` is what a matching image becomes; "" leaves it alone. For
    ``noswap_wildcards`` it is the words, joined by ``,``.
    """

    kind: Kind
    key: str
    target: str
    origin: Origin

    @property
    def text(self) -> str:
        """The rule in its one canonical spelling."""
        keyword = self.kind.value if self.kind in (Kind.EXACT, Kind.REPLACE) else ""
        return f"{keyword}{self.key}::{self.target}"
