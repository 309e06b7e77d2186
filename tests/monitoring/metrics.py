"""Which metrics there are, and which a query uses."""

import re

from imageswap.server.metrics import Metrics

# Of Prometheus itself, and of kube-state-metrics.
FOREIGN = {
    "up",
    "kube_deployment_spec_replicas",
    "kube_deployment_status_replicas_ready",
}

_TYPE = re.compile(r"^# TYPE (\S+) (\S+)$", re.MULTILINE)
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_MATCHERS = re.compile(r"\{[^}]*\}")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring)\s*\([^)]*\)")
# A name that calls no function.
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\b(?!\s*\()")
_KEYWORDS = {"or", "and", "unless", "offset", "bool", "by", "without", "on", "ignoring"}


def own() -> dict[str, str]:
    """Give the types of the webhook's metrics by their names."""
    shown = _TYPE.findall(Metrics().render().decode())
    # When a counter began is shown beside it, as a metric of its own.
    return {name: kind for name, kind in shown if not name.endswith("_created")}


def series() -> set[str]:
    """Give the names of all series that queries may ask for."""
    names = set(FOREIGN)
    for name, kind in own().items():
        parts = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        names.update(f"{name}{part}" for part in parts)
    return names


def used(query: str) -> set[str]:
    """Give the names of the series that a PromQL query asks for."""
    for pattern in (_TEXT, _MATCHERS, _GROUPING):
        query = pattern.sub(" ", query)
    query = re.sub(r"\[[^\]]*\]|\b\d\S*", " ", query)
    return set(_NAME.findall(query)) - _KEYWORDS
