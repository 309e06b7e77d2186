"""The webhook as a process over TLS, from the source tree and as the bundle."""

import base64
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imageswap.bundle import build
from local.certificates import Authority

CHECKOUT = Path(__file__).parents[2]
RULES = "default::\ndocker.io::harbor.example/hub\nquay.io/team/app::bare.example\n"
STARTED_SECONDS = 20


class Webhook:
    """A running server and how to reach it."""

    def __init__(
        self, process: "subprocess.Popen[str]", port: int, context: ssl.SSLContext
    ) -> None:
        self.process = process
        self.port = port
        self._context = context

    def connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, context=self._context, timeout=10
        )

    def ask(
        self, method: str, path: str, body: bytes = b"", content_type: str = "application/json"
    ) -> tuple[int, bytes]:
        connection = self.connect()
        connection.request(method, path, body, {"content-type": content_type})
        response = connection.getresponse()
        answer = response.status, response.read()
        connection.close()
        return answer

    def review(self, request: dict[str, Any]) -> dict[str, Any]:
        status, body = self.ask("POST", "/mutate", json.dumps(review(request)).encode())
        assert status == 200, body
        response: dict[str, Any] = json.loads(body)["response"]
        return response


def review(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {"uid": "u-1", "operation": "CREATE", **request},
    }


def pod(*images: str) -> dict[str, Any]:
    containers = [{"name": f"c{i}", "image": image} for i, image in enumerate(images)]
    return {"kind": {"kind": "Pod"}, "object": {"spec": {"containers": containers}}}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("webhook")
    (folder / "rules.map").write_text(RULES)
    (folder / "imageswap.pyz").write_bytes(build().content)
    pair = Authority.make(folder / "ca").server("webhook", ["127.0.0.1"], ["localhost"])
    (folder / "tls.crt").write_bytes(pair.certificate.read_bytes())
    (folder / "tls.key").write_bytes(pair.key.read_bytes())
    return folder


@pytest.fixture(params=["source", "bundle"])
def command(request: pytest.FixtureRequest, files: Path) -> list[str]:
    if request.param == "source":
        return [sys.executable, "-m", "imageswap", "serve"]
    # Without the environment and the installed packages: the bundle brings all that it needs.
    return [sys.executable, "-I", "-S", str(files / "imageswap.pyz")]


@pytest.fixture
def webhook(command: list[str], files: Path) -> Iterator[Webhook]:
    port = 18443
    context = ssl.create_default_context(cafile=files / "ca" / "ca.crt")
    options = [
        f"--rules={files / 'rules.map'}",
        f"--tls-cert={files / 'tls.crt'}",
        f"--tls-key={files / 'tls.key'}",
        f"--port={port}",
        "--drain=1.5",
    ]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "webhook")}
    process = subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    server = Webhook(process, port, context)
    try:
        wait_until_ready(server)
        yield server
    finally:
        process.kill()
        process.communicate()


def wait_until_ready(webhook: Webhook) -> None:
    deadline = time.monotonic() + STARTED_SECONDS
    while True:
        try:
            assert webhook.ask("GET", "/readyz") == (200, b"ok\n")
            return
        except ConnectionError:
            assert webhook.process.poll() is None, webhook.process.communicate()
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)


def test_pod_is_patched(webhook: Webhook) -> None:
    response = webhook.review(pod("nginx:1.25", "gcr.io/x"))
    assert response["uid"] == "u-1"
    assert response["allowed"] is True
    assert response["patchType"] == "JSONPatch"
    assert json.loads(base64.b64decode(response["patch"])) == [
        {
            "op": "replace",
            "path": "/spec/containers/0/image",
            "value": "harbor.example/hub/nginx:1.25",
        }
    ]
    assert response["auditAnnotations"] == {
        "swapped": f"nginx:1.25 → harbor.example/hub/nginx:1.25 ({rule_place(webhook, 2)})"
    }


def rule_place(webhook: Webhook, line: int) -> str:
    rules = next(arg for arg in webhook.process.args if str(arg).startswith("--rules="))  # type: ignore[union-attr]
    return f"{str(rules).removeprefix('--rules=')}:{line}"


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


def test_log_has_one_line_an_admission(webhook: Webhook) -> None:
    webhook.review(pod("nginx:1.25"))
    webhook.process.send_signal(signal.SIGTERM)
    out, err = webhook.process.communicate(timeout=10)
    assert err == ""
    (line,) = out.splitlines()
    logged = json.loads(line)
    assert logged["uid"] == "u-1"
    assert logged["kind"] == "Pod"
    assert logged["swaps"][0]["target"] == "harbor.example/hub/nginx:1.25"
    assert logged["swaps"][0]["rules"] == [rule_place(webhook, 2)]
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
    command: list[str], files: Path, tmp_path: Path, rules: str | None, certificate: str, says: str
) -> None:
    file = tmp_path / "rules.map"
    if rules is not None:
        file.write_text(rules)
    options = [f"--rules={file}", f"--tls-cert={files / certificate}"]
    done = subprocess.run(
        [*command, *options, f"--tls-key={files / 'tls.key'}", "--port=18444"],
        capture_output=True,
        text=True,
        timeout=20,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "webhook")},
    )
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
