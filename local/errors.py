"""The two ways in which work with the local cluster ends without a result."""


class Failed(Exception):
    """Something that can work on this machine did not; the message says what and where to look."""


class Unavailable(Exception):
    """This machine cannot do it; the message says why and what would enable it."""
