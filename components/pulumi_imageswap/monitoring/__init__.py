"""Monitoring by the Prometheus Operator: what to scrape, what to alert on, and a dashboard.

The alerts are in ``alerts.yaml`` and the dashboard in ``dashboard.json``, where ``<name>`` and
``<namespace>`` stand for those of the webhook's objects. The cluster must have the operator's
CustomResourceDefinitions.

Source: the API ``monitoring.coreos.com/v1`` of the Prometheus Operator, and the sidecar for
dashboards of Grafana's Helm chart.
"""

import hashlib
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any, cast

import pulumi
import pulumi_kubernetes as k8s
import yaml

Json = Any

_API_VERSION = "monitoring.coreos.com/v1"
_PORT = "metrics"
_DASHBOARD_LABEL = {"grafana_dashboard": "1"}
_UID_HASH_LENGTH = 12


def monitor(
    name: str,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    selected_by: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Have the Service ``name`` scraped, its alerts evaluated and its dashboard shown.

    Takes the name of the Deployment and its Service, their namespace, and the Service's labels.
    ``selected_by`` are the labels by which a Prometheus that does not take all ServiceMonitors and
    PrometheusRules selects its own.
    """
    of_namespace = pulumi.Output.from_input(namespace)
    metadata = {"name": name, "namespace": namespace, "labels": {**labels, **selected_by}}
    k8s.apiextensions.CustomResource(
        f"{name}-service-monitor",
        api_version=_API_VERSION,
        kind="ServiceMonitor",
        metadata=metadata,
        spec=service_monitor(labels),
        opts=opts,
    )
    k8s.apiextensions.CustomResource(
        f"{name}-alerts",
        api_version=_API_VERSION,
        kind="PrometheusRule",
        metadata=metadata,
        spec=of_namespace.apply(lambda known: alerts(name, known)),
        opts=opts,
    )
    k8s.core.v1.ConfigMap(
        f"{name}-dashboard",
        metadata={
            "name": f"{name}-dashboard",
            "namespace": namespace,
            "labels": {**labels, **_DASHBOARD_LABEL},
        },
        # The sidecar writes the dashboards of all namespaces into one folder, by these names.
        data={
            f"imageswap-{name}.json": of_namespace.apply(
                lambda known: json.dumps(dashboard(name, known), indent=1)
            )
        },
        opts=opts,
    )


def service_monitor(labels: Mapping[str, str]) -> dict[str, Json]:
    """Give the spec of the ServiceMonitor of the Service with these labels."""
    return {"selector": {"matchLabels": dict(labels)}, "endpoints": [{"port": _PORT}]}


def alerts(name: str, namespace: str) -> dict[str, Json]:
    """Give the spec of the PrometheusRule, which is a rule file of Prometheus as well.

    Takes the name of the Deployment and its Service, and their namespace.
    """
    return cast(dict[str, Json], _filled(yaml.safe_load(_data("alerts.yaml")), name, namespace))


def dashboard(name: str, namespace: str) -> dict[str, Json]:
    """Give the Grafana dashboard, in Grafana's JSON model.

    Takes the name of the Deployment and its Service, and their namespace.
    """
    filled = cast(dict[str, Json], _filled(json.loads(_data("dashboard.json")), name, namespace))
    # Grafana knows a dashboard by its uid, of 40 characters at most.
    digest = hashlib.sha256(f"{namespace}/{name}".encode()).hexdigest()
    return {**filled, "uid": f"imageswap-{digest[:_UID_HASH_LENGTH]}"}


def _data(file: str) -> str:
    return resources.files(__name__).joinpath(file).read_text("utf-8")


def _filled(value: Json, name: str, namespace: str) -> Json:
    """Put the names in the place of their placeholders, in all texts of a structure."""
    match value:
        case str():
            return value.replace("<name>", name).replace("<namespace>", namespace)
        case list():
            return [_filled(item, name, namespace) for item in value]
        case dict():
            return {key: _filled(item, name, namespace) for key, item in value.items()}
        case _:
            return value
