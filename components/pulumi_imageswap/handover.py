"""Waits, after a roll, until the replaced replicas are asked no more.

Pulumi takes a Deployment for rolled out when its last old replica has been told to end. That one
still answers, with the old rules, on the connections that it has, until it learns of its end.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

SECONDS = 4.0
"""How long after a roll an old replica may still be asked, unless its node is starved."""


class Condition(Protocol):
    """A condition in the status of a Deployment (``apps/v1`` DeploymentCondition)."""

    @property
    def type(self) -> str:
        """Its type, such as ``Progressing``."""

    @property
    def last_update_time(self) -> str | None:
        """When it last changed, RFC 3339."""


def remaining(conditions: Sequence[Condition] | None, now: datetime) -> float:
    """Say how many seconds of the handover are left, 0 to ``SECONDS``.

    Takes the conditions of the Deployment after its roll, of which ``Progressing`` was last
    updated when the roll was complete, and the time.
    """
    times = [
        datetime.fromisoformat(condition.last_update_time)
        for condition in conditions or ()
        if condition.type == "Progressing" and condition.last_update_time
    ]
    if not times:
        return 0.0
    passed = (now - max(times)).total_seconds()
    # Where the cluster's clock is ahead of this one, not longer than the whole of it.
    return min(max(SECONDS - passed, 0.0), SECONDS)


async def complete(conditions: Sequence[Condition] | None) -> None:
    """Return when the handover is over: at once, unless the Deployment was rolled just now."""
    await asyncio.sleep(remaining(conditions, datetime.now(UTC)))
