"""Changed files are taken up by a running server, and bad ones are not."""

import json
import ssl
import time
import urllib.request
from collections.abc import Callable

import pytest

from local.certificates import Authority
from tests.server.webhook import METRICS_PORT, RULES, Files, Webhook, patched, pod

TAKEN_UP_SECONDS = 10


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TAKEN_UP_SECONDS
    while not true():
        assert time.monotonic() < deadline, "the change was not taken up"
        time.sleep(0.1)


def metric(name: str) -> float:
    url = f"http://127.0.0.1:{METRICS_PORT}/metrics"
    with urllib.request.urlopen(url, timeout=5) as response:
        lines = response.read().decode().splitlines()
    values = [line.rpartition(" ")[2] for line in lines if line.startswith(name)]
    assert len(values) == 1, f"{name}: {values}"
    return float(values[0])


def serial(webhook: Webhook) -> str:
    pem = ssl.get_server_certificate(("127.0.0.1", webhook.port))
    return pem


def test_changed_rules_are_used_and_bad_ones_are_not(webhook: Webhook, files: Files) -> None:
    files.rules.write_text("default::new.example\n")
    until(lambda: patched(webhook.review(pod("nginx"))) == ["new.example/nginx"])
    files.rules.write_text("default::new.example\nquay.io other\n")
    until(lambda: metric('imageswap_reload_failures_total{what="rules"}') == 1)
    assert patched(webhook.review(pod("nginx"))) == ["new.example/nginx"]
    files.rules.write_text(RULES)
    until(lambda: patched(webhook.review(pod("nginx"))) == ["harbor.example/hub/nginx"])


def test_changed_certificate_is_used_without_dropping_a_connection(
    webhook: Webhook, files: Files
) -> None:
    open_connection = webhook.connect()
    open_connection.request("GET", "/healthz")
    assert open_connection.getresponse().read() == b"ok\n"
    before = serial(webhook)
    expiry = metric("imageswap_certificate_expiry_timestamp_seconds")
    assert expiry > time.time()
    time.sleep(1)
    files.write_pair(Authority.make(files.folder / "ca-2"))
    until(lambda: serial(webhook) != before)
    open_connection.request("GET", "/healthz")
    assert open_connection.getresponse().read() == b"ok\n"
    assert metric("imageswap_certificate_expiry_timestamp_seconds") > expiry


def test_bad_certificate_is_not_used(webhook: Webhook, files: Files) -> None:
    before = serial(webhook)
    files.key.write_text("-----BEGIN PRIVATE KEY-----\n")
    until(lambda: metric('imageswap_reload_failures_total{what="certificate"}') == 1)
    assert serial(webhook) == before
    assert webhook.ask("GET", "/readyz") == (200, b"ok\n")


@pytest.mark.parametrize("options", [["--mode=audit"]])
def test_audit_decides_and_changes_nothing(webhook: Webhook, options: list[str]) -> None:
    response = webhook.review(pod("nginx"))
    assert "patch" not in response
    assert response["warnings"] == [
        "c0: imageswap audits only: nginx would become harbor.example/hub/nginx"
    ]
    assert list(response["auditAnnotations"]) == ["would-swap"]
    assert metric('imageswap_admissions_total{kind="Pod",outcome="audited"}') == 1


@pytest.mark.parametrize("options", [["--record-source"]])
def test_source_is_recorded_in_an_annotation(webhook: Webhook, options: list[str]) -> None:
    request = pod("nginx", "gcr.io/x", "redis:7")
    request["object"]["metadata"] = {"annotations": {"a": "b"}}
    operations = webhook.patch(request)
    assert [operation["op"] for operation in operations] == ["replace", "replace", "add"]
    assert operations[2]["path"] == "/metadata/annotations/imageswap.io~1source-images"
    assert json.loads(operations[2]["value"]) == {"c0": "nginx", "c2": "redis:7"}
    assert len(webhook.patch({**request, "subResource": "ephemeralcontainers"})) == 2
    assert webhook.patch(pod("gcr.io/x")) == []


@pytest.mark.parametrize("options", [["--targets=pods"]])
def test_templates_can_be_left_as_written(webhook: Webhook, options: list[str]) -> None:
    template = {"spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    deployment = {"kind": {"kind": "Deployment"}, "object": {"spec": {"template": template}}}
    assert webhook.patch(deployment) == []
    assert patched(webhook.review(pod("nginx"))) == ["harbor.example/hub/nginx"]


def test_metrics_count_what_was_done(webhook: Webhook) -> None:
    webhook.review(pod("nginx", "redis"))
    webhook.review(pod("gcr.io/x"))
    webhook.ask("POST", "/mutate", b"{")
    assert metric('imageswap_admissions_total{kind="Pod",outcome="swapped"}') == 1
    assert metric('imageswap_admissions_total{kind="Pod",outcome="unchanged"}') == 1
    assert metric('imageswap_swaps_total{rule="docker.io::harbor.example/hub"}') == 2
    assert metric('imageswap_refused_requests_total{status="400"}') == 1
    assert metric("imageswap_admission_seconds_count") == 2
    assert metric("imageswap_rules ") == 3
    assert metric("imageswap_rules_info{") == 1
    assert metric("imageswap_build_info{") == 1
