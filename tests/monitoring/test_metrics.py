"""How these tests read queries."""

import pytest

from tests.monitoring.metrics import used


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("up", {"up"}),
        ('absent(up{a="sum(b)"} == 1) or max(c{d=~"{e}"}) == 0', {"up", "c"}),
        ("sum by (x, le) (rate(a_bucket[5m])) / on (y) b offset 15m", {"a_bucket", "b"}),
        ("1e3 * a:b unless last_over_time(c{}[$__range] offset 1h) - time()", {"a:b", "c"}),
    ],
)
def test_names_of_a_query(query: str, names: set[str]) -> None:
    assert used(query) == names
