"""A running webhook: from the source tree with what is installed, and as the bundle."""

import base64
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imageswap.bundle import build
from local.certificates import Authority

CHECKOUT = Path(__file__).parents[2]
RULES = "default::\ndocker.io::harbor.example/hub\nquay.io/team/app::bare.example\n"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(CHECKOUT / "webhook")}
_STARTED_SECONDS = 20


def free_ports(count: int) -> list[int]:
    """Give ports that nothing listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [taken.getsockname()[1] for taken in sockets]
    for taken in sockets:
        taken.close()
    return ports


PORT, METRICS_PORT = free_ports(2)


@dataclass(frozen=True)
class Files:
    """What a server is started with."""

    folder: Path

    @property
    def rules(self) -> Path:
        return self.folder / "rules.map"

    @property
    def certificate(self) -> Path:
        return self.folder / "tls.crt"

    @property
    def key(self) -> Path:
        return self.folder / "tls.key"

    @property
    def authority(self) -> Path:
        return self.folder / "ca.crt"

    def write_pair(self, authority: Authority) -> None:
        pair = authority.server("webhook", ["127.0.0.1"], ["localhost"])
        self.certificate.write_bytes(pair.certificate.read_bytes())
        self.key.write_bytes(pair.key.read_bytes())
        self.authority.write_bytes(authority.pair.certificate.read_bytes())

    def options(self) -> list[str]:
        return [
            f"--rules={self.rules}",
            f"--tls-cert={self.certificate}",
            f"--tls-key={self.key}",
            f"--port={PORT}",
            f"--metrics-port={METRICS_PORT}",
            "--drain=1.5",
        ]


class Webhook:
    """A running server and how to reach it."""

    def __init__(self, process: "subprocess.Popen[str]", files: Files) -> None:
        self.process = process
        self.port = PORT
        self._files = files

    def connect(self) -> http.client.HTTPSConnection:
        context = ssl.create_default_context(cafile=self._files.authority)
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=10)

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
        assert response["allowed"] is True
        return response

    def patch(self, request: dict[str, Any]) -> list[dict[str, str]]:
        return patch(self.review(request))

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + _STARTED_SECONDS
        while True:
            try:
                assert self.ask("GET", "/readyz") == (200, b"ok\n")
                return
            except ConnectionError:
                assert self.process.poll() is None, self.process.communicate()
                assert time.monotonic() < deadline, "the server did not start"
                time.sleep(0.05)


def review(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {"uid": "u-1", "operation": "CREATE", **request},
    }


def pod(*images: str) -> dict[str, Any]:
    containers = [{"name": f"c{i}", "image": image} for i, image in enumerate(images)]
    return {"kind": {"kind": "Pod"}, "object": {"spec": {"containers": containers}}}


def patch(response: dict[str, Any]) -> list[dict[str, str]]:
    operations: list[dict[str, str]] = json.loads(base64.b64decode(response.get("patch", b"W10=")))
    return operations


def patched(response: dict[str, Any]) -> list[str]:
    """The images that a patch writes."""
    return [operation["value"] for operation in patch(response)]


def commands(bundle: Path) -> dict[str, list[str]]:
    """Both ways to run the server; the bundle's brings all that it needs."""
    bundle.write_bytes(build().content)
    return {
        "source": [sys.executable, "-m", "imageswap", "serve"],
        "bundle": [sys.executable, "-I", "-S", str(bundle)],
    }
