"""The objects as the Prometheus Operator's API has them."""

from typing import Any

import pytest

from pulumi_imageswap import monitoring
from tests.monitoring.conftest import LABELS, NAME, NAMESPACE
from tests.monitoring.tools import problems

SPECS = {
    "ServiceMonitor": monitoring.service_monitor(LABELS),
    "PrometheusRule": monitoring.alerts(NAME, NAMESPACE),
}


def test_objects_are_what_the_operator_takes(definition: dict[str, Any]) -> None:
    kind = definition["spec"]["names"]["kind"]
    (version,) = definition["spec"]["versions"]
    assert f"{definition['spec']['group']}/{version['name']}" == "monitoring.coreos.com/v1"
    schema = version["schema"]["openAPIV3Schema"]
    assert problems({"metadata": {"name": NAME}, "spec": SPECS[kind]}, schema) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"spec": []},
        {"metadata": {}, "spec": {"groups": [{}]}},
        {"spec": {"groups": [{"name": ""}]}},
        {"spec": {"groups": [{"name": "x", "rules": [{"alert": "x"}]}]}},
        {"spec": {"groups": [{"name": "x", "rules": [{"expr": "x", "For": "1m"}]}]}},
        {"spec": {"groups": [{"name": "x", "rules": [{"expr": "x", "for": "soon"}]}]}},
        {"spec": {"groups": [{"name": "x", "rules": [{"expr": "x", "labels": {"x": 1}}]}]}},
        {"selector": {}, "spec": {"endpoints": [{"port": "metrics"}]}},
        {"spec": {"selector": {}, "endpoints": [{"port": 8080}]}},
        {"spec": {"selector": {}, "endpoints": [{"port": "x", "scheme": "ftp"}]}},
    ],
)
def test_what_the_operator_does_not_take_is_found(
    wrong: dict[str, Any], definition: dict[str, Any]
) -> None:
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert problems(wrong, schema) != []


def test_every_placeholder_is_filled() -> None:
    everything = [*SPECS.values(), monitoring.dashboard(NAME, NAMESPACE)]
    assert "<name" not in str(everything)


def test_two_webhooks_have_two_dashboards() -> None:
    uids = {
        monitoring.dashboard(name, namespace)["uid"]
        for name in ("a", "b" * 63)
        for namespace in ("a", "b" * 63)
    }
    assert len(uids) == 4
    assert max(map(len, uids)) <= 40
