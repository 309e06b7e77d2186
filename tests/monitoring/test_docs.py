"""docs/monitoring.md: all metrics and alerts, and no others."""

import re
from pathlib import Path

from imageswap.registry.verdict import Reason
from tests.monitoring.metrics import own
from tests.monitoring.test_alerts import ALERTS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text("utf-8")


def test_every_metric_is_in_the_table_with_its_type() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", DOCUMENT, re.MULTILINE)
    assert dict(rows) == own()
    assert len(dict(rows)) == len(rows)


def test_every_reason_is_explained() -> None:
    for reason in set(Reason) - {Reason.FOUND}:
        assert f"`{reason}`" in DOCUMENT


def test_every_alert_has_its_place_in_the_runbook() -> None:
    headings = re.findall(r"^### (\w+)$", DOCUMENT, re.MULTILINE)
    assert headings == list(ALERTS)
    for name, alert in ALERTS.items():
        assert alert["annotations"]["runbook"] == f"docs/monitoring.md#{name.lower()}"


def test_every_alert_says_in_the_runbook_how_grave_it_is() -> None:
    for name, alert in ALERTS.items():
        section = DOCUMENT.partition(f"### {name}\n")[2].partition("\n###")[0]
        assert section.strip().startswith(f"{alert['labels']['severity'].capitalize()}. ")
