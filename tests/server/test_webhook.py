"""The webhook through its port, over TLS."""

import json
import signal
import subprocess
import time

import pytest

from tests.server.webhook import ENVIRONMENT, RULES, Files, Webhook, patch, pod, review


def test_pod_is_patched(webhook: Webhook, files: Files) -> None:
    response = webhook.review(pod("nginx:1.25", "gcr.io/x"))
    assert response["uid"] == "u-1"
    assert response["allowed"] is True
    assert response["patchType"] == "JSONPatch"
    assert patch(response) == [
        {
            "op": "replace",
            "path": "/spec/containers/0/image",
            "value": "harbor.example/hub/nginx:1.25",
        }
    ]
    assert response["auditAnnotations"] == {
        "swapped": f"nginx:1.25 → harbor.example/hub/nginx:1.25 ({files.rules}:2)"
    }


def test_nothing_to_change_has_no_patch(webhook: Webhook) -> None:
    assert webhook.review(pod("gcr.io/x")) == {"uid": "u-1", "allowed": True}


def test_swap_that_cannot_be_is_a_warning(webhook: Webhook) -> None:
    response = webhook.review(pod("quay.io/team/app:1"))
    assert "patch" not in response
    (warning,) = response["warnings"]
    assert warning.startswith("c0: quay.io/team/app:1 is left as it is")


@pytest.mark.parametrize(
    ("method", "path", "body", "content_type", "status", "says"),
    [
        ("POST", "/mutate", b"{", "application/json", 400, b"not JSON"),
        ("POST", "/mutate", b"[]", "application/json", 400, b"AdmissionReview"),
        ("POST", "/mutate", b"\xff\xfe", "application/json", 400, b"not JSON"),
        ("POST", "/mutate", b"[" * 100_000, "application/json", 400, b"not JSON"),
        ("POST", "/mutate", b"{}", "text/plain", 415, b"application/json"),
        ("GET", "/mutate", b"", "application/json", 405, b"POST"),
        ("POST", "/healthz", b"", "application/json", 405, b"GET"),
        ("GET", "/nothing", b"", "application/json", 404, b"/mutate"),
    ],
)
def test_wrong_request_gets_a_reason(
    webhook: Webhook,
    method: str,
    path: str,
    body: bytes,
    content_type: str,
    status: int,
    says: bytes,
) -> None:
    answered, text = webhook.ask(method, path, body, content_type)
    assert answered == status
    assert says in text
    assert webhook.ask("GET", "/healthz") == (200, b"ok\n")


def test_too_large_a_body_is_refused(webhook: Webhook) -> None:
    connection = webhook.connect()
    connection.request(
        "POST", "/mutate", b" " * (3 * 1024 * 1024 + 1), {"content-type": "application/json"}
    )
    assert connection.getresponse().status == 413
    connection.close()


def test_shutdown_drains_first_and_exits_0(webhook: Webhook) -> None:
    webhook.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert webhook.ask("GET", "/readyz") == (503, b"shutting down\n")
    connection = webhook.connect()
    connection.request(
        "POST",
        "/mutate",
        json.dumps(review(pod("nginx"))).encode(),
        {"content-type": "application/json"},
    )
    response = connection.getresponse()
    assert response.status == 200
    assert response.getheader("connection") == "close"
    response.read()
    assert webhook.process.wait(timeout=10) == 0


def test_log_has_one_line_an_admission(webhook: Webhook, files: Files) -> None:
    webhook.review(pod("nginx:1.25"))
    webhook.process.send_signal(signal.SIGTERM)
    out, err = webhook.process.communicate(timeout=10)
    assert err == ""
    (line,) = out.splitlines()
    logged = json.loads(line)
    assert logged["uid"] == "u-1"
    assert logged["kind"] == "Pod"
    assert logged["swaps"][0]["target"] == "harbor.example/hub/nginx:1.25"
    assert logged["swaps"][0]["rules"] == [f"{files.rules}:2"]
    assert logged["milliseconds"] > 0


@pytest.mark.parametrize(
    ("rules", "certificate", "says"),
    [
        ("default::\nquay.io harbor\n", "tls.crt", ":2:1: error: no `::`"),
        (RULES, "rules.map", "cannot be used"),
        (None, "tls.crt", "No such file"),
    ],
)
def test_does_not_start_on_bad_input(
    command: list[str], files: Files, rules: str | None, certificate: str, says: str
) -> None:
    files.rules.write_text(rules) if rules is not None else files.rules.unlink()
    done = subprocess.run(
        [*command, *files.options(), f"--tls-cert={files.folder / certificate}"],
        capture_output=True,
        text=True,
        timeout=20,
        env=ENVIRONMENT,
    )
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
