"""How long the component waits after a roll."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from pulumi_imageswap.handover import SECONDS, remaining

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Condition(NamedTuple):
    type: str
    last_update_time: str | None


def progressing(seconds_ago: float) -> Condition:
    return Condition("Progressing", f"{NOW - timedelta(seconds=seconds_ago):%Y-%m-%dT%H:%M:%SZ}")


@pytest.mark.parametrize(
    ("conditions", "seconds"),
    [
        (None, 0),
        ([], 0),
        ([Condition("Available", "2026-01-02T03:04:05Z")], 0),
        ([Condition("Progressing", None)], 0),
        ([progressing(0)], SECONDS),
        ([progressing(1)], SECONDS - 1),
        ([progressing(3600)], 0),
        ([progressing(-3600)], SECONDS),
    ],
)
def test_remaining(conditions: list[Condition] | None, seconds: float) -> None:
    assert remaining(conditions, NOW) == seconds
