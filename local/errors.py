"""The two ways in which work with the local cluster ends without a result."""


class Failed(Exception):  # noqa: N818 - read at the raise: what happened, not what kind
    """Something that can work on this machine did not; the message says what and where to look."""


class Unavailable(Exception):  # noqa: N818 - tests take it for a reason to skip
    """This machine cannot do it; the message says why and what would enable it."""
