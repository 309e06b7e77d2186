"""Whether this machine can run a cluster at all."""

import os
import sys

from local import debian
from local.command import output
from local.errors import Failed, Unavailable

_OPTIONS = ("--pid", "--mount", "--net", "--fork", "--propagation", "slave")


def check() -> None:
    """Make sure that the machine is one that can run a cluster.

    Raises:
        Unavailable: It is not.
    """
    if not sys.platform.startswith("linux"):
        raise Unavailable(
            f"A cluster needs Linux; this is {sys.platform}. Use a virtual machine with Debian."
        )
    if os.geteuid() != 0:
        raise Unavailable(
            "A cluster needs root, to make namespaces, mounts and interfaces. Run this as root."
        )


def check_namespaces() -> None:
    """Make sure that namespaces can be made; the programs have to be there already.

    Raises:
        Unavailable: They cannot.
    """
    try:
        output([*unshare(), "true"])
    except Failed as error:
        raise Unavailable(
            f"Root may not make namespaces here, as in an unprivileged container: {error}. "
            "Use a virtual machine, or a privileged container."
        ) from error


def unshare() -> list[str]:
    """Return the command that runs another one in namespaces of its own.

    Returns:
        The start of a command line.
    """
    # The machine's later mounts and unmounts reach in, so that nothing is kept busy; none gets out.
    return [str(debian.program("unshare")), *_OPTIONS]
