"""The dashboard: every panel says what it shows, and asks for what there is."""

from typing import Any

import pytest

from pulumi_imageswap import monitoring
from tests.monitoring.conftest import NAME, NAMESPACE
from tests.monitoring.metrics import series, used
from tests.monitoring.tools import Promtool

DASHBOARD = monitoring.dashboard(NAME, NAMESPACE)
PANELS = DASHBOARD["panels"]
VARIABLES = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def queries(panel: dict[str, Any]) -> list[str]:
    return [target["expr"] for target in panel["targets"]]


def test_ids_and_titles_are_unique() -> None:
    for key in ("id", "title"):
        assert len({panel[key] for panel in PANELS}) == len(PANELS)


def test_data_source_and_replica_are_variables() -> None:
    assert list(VARIABLES) == ["datasource", "replica"]
    assert VARIABLES["datasource"]["query"] == "prometheus"
    assert VARIABLES["replica"]["datasource"] == DATA_SOURCE
    assert "imageswap_build_info" in series()
    assert VARIABLES["replica"]["definition"].startswith("label_values(imageswap_build_info{")


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
class TestPanel:
    def test_says_what_it_shows(self, panel: dict[str, Any]) -> None:
        assert panel["description"].endswith(".")

    def test_asks_the_chosen_data_source(self, panel: dict[str, Any]) -> None:
        assert panel["targets"]
        for asked in (panel, *panel["targets"]):
            assert asked["datasource"] == DATA_SOURCE
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)

    def test_asks_for_the_chosen_replicas_of_this_webhook(self, panel: dict[str, Any]) -> None:
        selector = f'namespace="{NAMESPACE}",service="{NAME}",pod=~"$replica"'
        for query in queries(panel):
            assert query.count("{") == query.count(selector) > 0

    def test_asks_for_metrics_that_there_are(self, panel: dict[str, Any]) -> None:
        for query in queries(panel):
            assert used(query)
            assert used(query) <= series()

    def test_is_within_the_width_and_over_no_other(self, panel: dict[str, Any]) -> None:
        def cells(place: dict[str, int]) -> set[tuple[int, int]]:
            return {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }

        own = cells(panel["gridPos"])
        assert max(x for x, _ in own) < 24
        for other in PANELS:
            assert other is panel or not own & cells(other["gridPos"])


def test_queries_are_promql(promtool: Promtool) -> None:
    filled = [
        query.replace("$__rate_interval", "5m").replace("$__range", "6h")
        for panel in PANELS
        for query in queries(panel)
    ]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(filled)]
    promtool.check({"groups": [{"name": "dashboard", "rules": rules}]})
