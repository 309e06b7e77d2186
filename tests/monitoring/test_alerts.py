"""The alerts: each fires when it should, says what to do, and is silent otherwise."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from pulumi_imageswap import monitoring
from tests.monitoring.conftest import NAME, NAMESPACE
from tests.monitoring.metrics import series, used
from tests.monitoring.tools import Promtool

RULES = monitoring.alerts(NAME, NAMESPACE)
ALERTS: dict[str, Any] = {
    rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]
}
OURS = {"namespace": NAMESPACE, "service": NAME}
DAY = 86400
# What a template shows of a value, the value itself being checked by its text.
VALUE = re.compile(r"\{\{[^}]*\$value[^}]*\}\}")
LABEL = re.compile(r"\{\{ \$labels\.(\w+) \}\}")


class Case(NamedTuple):
    """A course of series, a value a minute, and what an alert makes of it at one time.

    ``fires`` are the labels of the alerts besides its own with the text of their values; with none
    of them it is silent. Values are in the notation of `promtool test rules`.
    """

    alert: str
    at: str
    series: Mapping[str, str]
    fires: list[tuple[dict[str, str], str]] = []  # noqa: RUF012 (it is never changed)


def one(text: str = "", **labels: str) -> list[tuple[dict[str, str], str]]:
    return [({**OURS, **labels}, text)]


def of(metric: str, pod: str = "a", **labels: str) -> str:
    """Give the name of a series of one replica."""
    all_labels = {**OURS, "job": NAME, "pod": pod, "instance": pod, **labels}
    return metric + "{" + ",".join(f'{key}="{value}"' for key, value in all_labels.items()) + "}"


def deployed(wanted: str, ready: str, name: str = NAME) -> dict[str, str]:
    labels = f'{{namespace="{NAMESPACE}",deployment="{name}",pod="kube-state-metrics-0"}}'
    return {
        f"kube_deployment_spec_replicas{labels}": wanted,
        f"kube_deployment_status_replicas_ready{labels}": ready,
    }


def histogram(metric: str, fast: str, slow: str, **labels: str) -> dict[str, str]:
    """Give a histogram of two replicas with so many observations below 0.1 s and below 1 s."""
    counts = {"0.1": fast, "1": slow, "+Inf": slow}
    return {
        of(f"{metric}_bucket", pod, le=bound, **labels): count
        for pod in "ab"
        for bound, count in counts.items()
    }


def expiring(days: int, minute: int) -> dict[str, str]:
    """Give the certificates of two replicas, one with so many days left after some minutes."""
    metric = "imageswap_certificate_expiry_timestamp_seconds"
    soonest = days * DAY + minute * 60
    return {
        of(metric): f"{soonest}x60",
        of(metric, "b"): f"{soonest + 300 * DAY}x60",
        of(metric, service="other"): "0x60",
    }


UP, UP_B = of("up"), of("up", "b")
ERROR = {"kind": "Pod", "outcome": "error"}
ADMISSIONS = of("imageswap_admissions_total", **ERROR)
SWAPPED = of("imageswap_admissions_total", kind="Pod", outcome="swapped")
FALLBACKS = "imageswap_fallbacks_total"
MISSING = {"registry": "r.example", "reason": "not_found"}
REFUSED = "imageswap_refused_requests_total"
RELOADS = "imageswap_reload_failures_total"
INFO = "imageswap_rules_info"
ADMISSION, CHECK = "imageswap_admission_seconds", "imageswap_registry_check_seconds"

CASES = [
    Case("ImageSwapDown", "20m", {UP: "1x60", UP_B: "0x60", **deployed("2x60", "1x60")}),
    Case("ImageSwapDown", "4m", {UP: "0x60"}),
    Case("ImageSwapDown", "6m", {UP: "0x60", UP_B: "0x60"}, one()),
    Case("ImageSwapDown", "6m", {}, one()),
    Case("ImageSwapDown", "6m", {of("up", service="other"): "1x60"}, one()),
    Case("ImageSwapDown", "6m", {UP: "1x60", **deployed("2x60", "0x60")}, one()),
    Case("ImageSwapDown", "6m", {UP: "0x60", **deployed("2x60", "0x60")}, one()),
    Case("ImageSwapDown", "6m", {UP: "1x60", **deployed("2x60", "0x60", "other")}),
    Case("ImageSwapReplicasMissing", "20m", deployed("2x60", "2x60")),
    Case("ImageSwapReplicasMissing", "20m", deployed("2x60", "3x60")),
    Case("ImageSwapReplicasMissing", "9m", deployed("2x60", "1x60")),
    Case("ImageSwapReplicasMissing", "20m", deployed("2x60", "1x60", "other")),
    Case(
        "ImageSwapReplicasMissing",
        "11m",
        deployed("2x60", "1x60"),
        [({"namespace": NAMESPACE, "deployment": NAME}, "1")],
    ),
    Case(
        "ImageSwapReplicasMissing",
        "11m",
        deployed("2x60", "0x60"),
        [({"namespace": NAMESPACE, "deployment": NAME}, "0")],
    ),
    Case("ImageSwapCertificateExpiresSoon", "20m", expiring(22, 20)),
    Case("ImageSwapCertificateExpiresSoon", "20m", expiring(20, 20), one("20d 0h 0m 0s")),
    Case("ImageSwapCertificateExpiresSoon", "20m", expiring(2, 20), one("2d 0h 0m 0s")),
    Case("ImageSwapCertificateExpires", "20m", expiring(4, 20)),
    Case("ImageSwapCertificateExpires", "20m", expiring(2, 20), one("2d 0h 0m 0s")),
    Case("ImageSwapCertificateExpires", "20m", expiring(-1, 20), one("-1d 0h 0m 0s")),
    # A replica that starts has no certificate for a moment.
    Case(
        "ImageSwapCertificateExpires",
        "6m",
        {of("imageswap_certificate_expiry_timestamp_seconds"): f"0x4 {300 * DAY}x60"},
    ),
    Case("ImageSwapErrors", "20m", {SWAPPED: "0+9x60"}),
    Case("ImageSwapErrors", "20m", {ADMISSIONS: "0x60"}),
    Case("ImageSwapErrors", "30m", {ADMISSIONS: "_x10 1x60"}),
    Case("ImageSwapErrors", "12m", {ADMISSIONS: "_x10 1x60"}, one("1")),
    Case("ImageSwapErrors", "12m", {ADMISSIONS: "0x10 1x60"}, one("1")),
    Case("ImageSwapErrors", "40m", {ADMISSIONS: "3x30 4x60"}, one("1")),
    Case("ImageSwapErrors", "80m", {ADMISSIONS: "3x90"}),
    # A Prometheus that was away for half an hour knows the series from before.
    Case("ImageSwapErrors", "62m", {ADMISSIONS: "3x30 _x30 3x30"}),
    Case("ImageSwapFallbacks", "60m", {of(FALLBACKS, **MISSING): "4x90"}),
    Case("ImageSwapFallbacks", "60m", {of(FALLBACKS, **MISSING): "0x50 1x4 2x30"}),
    Case("ImageSwapFallbacks", "60m", {of(FALLBACKS, service="other", **MISSING): "0+1x90"}),
    Case(
        "ImageSwapFallbacks",
        "60m",
        {
            of(FALLBACKS, "a", **MISSING): "0+1x90",
            of(FALLBACKS, "b", **MISSING): "0+1x90",
            of(FALLBACKS, "b", registry="ok.example", reason="not_found"): "1x90",
        },
        one("60", **MISSING),
    ),
    Case("ImageSwapRefusedRequests", "30m", {of(REFUSED, status="400"): "3x60"}),
    Case("ImageSwapRefusedRequests", "30m", {of(REFUSED, status="400"): "0x20 3x60"}),
    Case(
        "ImageSwapRefusedRequests",
        "30m",
        {of(REFUSED, status="413"): "0+2x60", of(REFUSED, status="400"): "7x60"},
        one("30", status="413"),
    ),
    Case("ImageSwapReloadFailed", "90m", {of(RELOADS, what="rules"): "0x120"}),
    Case("ImageSwapReloadFailed", "90m", {of(RELOADS, what="rules"): "0x10 1x120"}),
    Case(
        "ImageSwapReloadFailed",
        "60m",
        {of(RELOADS, what="rules"): "0x10 1x120", of(RELOADS, what="certificate"): "0x120"},
        one(what="rules"),
    ),
    Case("ImageSwapRulesDiffer", "20m", {of(INFO, p, hash="1"): "1x60" for p in "ab"}),
    Case("ImageSwapRulesDiffer", "14m", {of(INFO, p, hash=p): "1x60" for p in "ab"}),
    Case("ImageSwapRulesDiffer", "16m", {of(INFO, p, hash=p): "1x60" for p in "ab"}, one("2")),
    # A roll that ends.
    Case(
        "ImageSwapRulesDiffer",
        "40m",
        {of(INFO, "a", hash="1"): "1x30 stale", of(INFO, "b", hash="2"): "_x28 1x60"},
    ),
    Case("ImageSwapSlow", "60m", histogram(ADMISSION, "0+1000x90", "0+1001x90")),
    Case("ImageSwapSlow", "60m", histogram(ADMISSION, "7x90", "9x90")),
    # One slow answer.
    Case("ImageSwapSlow", "60m", histogram(ADMISSION, "0x90", "0x40 1x60")),
    Case("ImageSwapSlow", "14m", histogram(ADMISSION, "0+1x90", "0+2x90")),
    Case("ImageSwapSlow", "20m", histogram(ADMISSION, "0+1x90", "0+2x90"), one("982ms")),
    Case(
        "ImageSwapRegistrySlow",
        "60m",
        histogram(CHECK, "0+95x90", "0+100x90", registry="r.example", outcome="found"),
    ),
    Case(
        "ImageSwapRegistrySlow",
        "60m",
        {
            **histogram(CHECK, "0+1x90", "0+2x90", registry="slow.example", outcome="found"),
            **histogram(CHECK, "0+9x90", "0+9x90", registry="fast.example", outcome="found"),
        },
        one("820ms", registry="slow.example"),
    ),
]


def expected(alert: dict[str, Any], labels: dict[str, str], value: str) -> dict[str, Any]:
    """Give an alert as it should be, its templates filled."""
    annotations = {
        key: VALUE.sub(value, LABEL.sub(lambda found: labels[found[1]], text))
        for key, text in alert["annotations"].items()
    }
    assert "{{" not in str(annotations)
    return {"exp_labels": {**labels, **alert["labels"]}, "exp_annotations": annotations}


@pytest.mark.parametrize("name", ALERTS)
class TestAlert:
    def test_asks_for_metrics_that_there_are(self, name: str) -> None:
        names = used(ALERTS[name]["expr"])
        assert names
        assert names <= series()

    def test_asks_for_this_webhook_alone(self, name: str) -> None:
        expression = ALERTS[name]["expr"]
        own = re.findall(
            rf'\{{namespace="{NAMESPACE}",(?:service|deployment)="{NAME}"[,}}]', expression
        )
        assert len(own) == expression.count("{") > 0

    def test_says_what_to_do(self, name: str) -> None:
        annotations = ALERTS[name]["annotations"]
        assert set(annotations) == {"summary", "description", "runbook"}
        for key in ("summary", "description"):
            assert annotations[key].endswith(".")
            assert "\n" not in annotations[key]

    def test_has_a_case_in_which_it_fires_and_one_in_which_it_does_not(self, name: str) -> None:
        assert {bool(case.fires) for case in CASES if case.alert == name} == {True, False}


def test_rules_are_promql(promtool: Promtool) -> None:
    promtool.check(RULES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_case(case: Case, promtool: Promtool) -> None:
    alert = ALERTS[case.alert]
    firing = [expected(alert, labels, value) for labels, value in case.fires]
    promtool.test(
        RULES,
        [
            {
                "interval": "1m",
                "input_series": [{"series": s, "values": v} for s, v in case.series.items()],
                "alert_rule_test": [
                    {"eval_time": case.at, "alertname": case.alert, "exp_alerts": firing}
                ],
            }
        ],
    )
