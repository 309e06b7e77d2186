"""How a command of this package ends: what it says, and its exit code."""

import signal
from collections.abc import Callable

from local.errors import Failed, Unavailable
from local.interruption import Interrupted
from local.progress import say

FAILED, UNAVAILABLE = 1, 3


def exit_code(work: Callable[[], int]) -> int:
    """Do some work, and say on stderr why it has not been done, if so.

    Args:
        work: The work, which returns its own exit code.

    Returns:
        That code; 1 when it failed, 3 when this machine cannot do it, 128 and the signal's number
        when interrupted.
    """
    try:
        return work()
    except Unavailable as error:
        say(f"This machine cannot do it. {error}")
        return UNAVAILABLE
    except Failed as error:
        say(str(error))
        return FAILED
    except Interrupted as error:
        say(str(error))
        return 128 + error.number
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
