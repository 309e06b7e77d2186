"""The image of the server, built without Docker: it answers in a cluster as the bundle does."""

import base64
import http.client
import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from imageswap.bundle import build as build_bundle
from local import build
from local.certificates import Authority
from local.cluster import Cluster
from tests.cluster.kubectl import Kubectl
from tests.server.webhook import RULES, Files, Webhook, patch, pod, review

NAMESPACE = "imageswap-image"
SCOPE = f"--namespace={NAMESPACE}"
LABELS = {"app": "imageswap"}
TEMPLATE = pod("nginx:1.25", "quay.io/team/tool:2", "gcr.io/project/app@sha256:" + "0" * 64)
EVERY_FIELD = {
    "initContainers": [{"name": "init", "image": "busybox"}],
    "containers": [{"name": "main", "image": "docker.io/library/nginx"}],
    "ephemeralContainers": [{"name": "debug", "image": "busybox:1.36"}],
    "volumes": [{"name": "data", "image": {"reference": "bitnami/redis:7"}}],
}
REQUESTS: dict[str, dict[str, Any]] = {
    "Pod": TEMPLATE,
    "Pod of every field": {"kind": {"kind": "Pod"}, "object": {"spec": EVERY_FIELD}},
    "Deployment": {
        "kind": {"group": "apps", "kind": "Deployment"},
        "object": {"spec": {"template": TEMPLATE["object"]}},
    },
    "CronJob": {
        "kind": {"group": "batch", "kind": "CronJob"},
        "object": {"spec": {"jobTemplate": {"spec": {"template": TEMPLATE["object"]}}}},
    },
    "update": {**TEMPLATE, "operation": "UPDATE", "oldObject": pod("nginx:1.25")["object"]},
    "not to be parsed": pod("UPPER/case", "nginx:", ":1", "ünïcode/image:1"),
    "malformed Pod": {
        "kind": {"kind": "Pod"},
        "object": {"spec": {"containers": [None, {"image": 7}, {"image": "nginx"}]}},
    },
    "another kind": {"kind": {"kind": "Service"}, "object": {"spec": {}}},
}
NOT_REVIEWS = {
    "not JSON": b"{",
    "not UTF-8": b"\xff\xfe",
    "a list": b"[]",
    "nested deeply": b"[" * 100_000,
    "no request": json.dumps({**review({}), "request": None}).encode(),
    "another version": json.dumps({**review({}), "apiVersion": "v1"}).encode(),
}


class Served(NamedTuple):
    """A running server: where it is, and the file of the authority that it is known by."""

    address: str
    port: int
    authority: Path

    def post(self, body: bytes) -> tuple[int, bytes]:
        """Send a body to ``/mutate``; gives the status and the body of the answer."""
        context = ssl.create_default_context(cafile=self.authority)
        connection = http.client.HTTPSConnection(
            self.address, self.port, context=context, timeout=10
        )
        try:
            connection.request("POST", "/mutate", body, {"content-type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority") / "ca")


@pytest.fixture(scope="module")
def bundle(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory, cluster: Cluster
) -> Iterator[Served]:
    """The bundle on this machine, run by the Python that runs the tests with nothing else."""
    files = Files(tmp_path_factory.mktemp("bundle"))
    files.rules.write_text(RULES)
    files.write_pair(authority)
    archive = files.folder / "imageswap.pyz"
    archive.write_bytes(build_bundle().content)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["python3", "-I", "-S", str(archive), *files.options()]
    with (files.folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--port={port}", "--metrics-port=0"], stdout=log, stderr=log, text=True
        )
    try:
        server = Webhook(process, files)
        server.port = port
        server.wait_until_ready()
        yield Served("127.0.0.1", port, files.authority)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def address(kubectl: Kubectl) -> Iterator[str]:
    """The address of the Service, in a namespace that takes restricted Pods only."""
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": NAMESPACE, "labels": restricted},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "imageswap", "namespace": NAMESPACE},
            "spec": {
                "selector": LABELS,
                "ports": [
                    {"name": "webhook", "port": 443, "targetPort": 8443},
                    {"name": "metrics", "port": 8080},
                ],
            },
        },
    )
    yield str(kubectl.get("service", "imageswap", SCOPE)["spec"]["clusterIP"])
    kubectl("delete", "namespace", NAMESPACE)


@pytest.fixture(scope="module")
def image(cluster: Cluster, kubectl: Kubectl, authority: Authority, address: str) -> Served:
    """The image in the cluster, behind a Service."""
    pair = authority.server("image", [address], [])
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "rules", "namespace": NAMESPACE},
            "data": {"rules.map": RULES},
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {"name": "tls", "namespace": NAMESPACE},
            "data": {
                "tls.crt": base64.b64encode(pair.certificate.read_bytes()).decode(),
                "tls.key": base64.b64encode(pair.key.read_bytes()).decode(),
            },
        },
        server_pod(build.build(cluster, "test")),
    )
    kubectl("wait", "pod/imageswap", SCOPE, "--for=condition=Ready", "--timeout=60s")
    return Served(address, 443, authority.pair.certificate)


def server_pod(image: str) -> dict[str, Any]:
    """A Pod that the restricted Pod Security Standard takes, with the user of its image."""
    volumes = {"rules": {"configMap": {"name": "rules"}}, "tls": {"secret": {"secretName": "tls"}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "imageswap", "namespace": NAMESPACE, "labels": LABELS},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {
                "runAsNonRoot": True,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "webhook",
                    "image": image,
                    "args": [
                        "--rules=/mounted/rules/rules.map",
                        "--tls-cert=/mounted/tls/tls.crt",
                        "--tls-key=/mounted/tls/tls.key",
                        "--host=0.0.0.0",
                        "--metrics-port=8080",
                    ],
                    "readinessProbe": {
                        "httpGet": {"path": "/readyz", "port": 8443, "scheme": "HTTPS"},
                        "periodSeconds": 1,
                    },
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volumeMounts": [
                        {"name": name, "mountPath": f"/mounted/{name}", "readOnly": True}
                        for name in volumes
                    ],
                }
            ],
            "volumes": [{"name": name, **source} for name, source in volumes.items()],
        },
    }


def answered(server: Served, request: dict[str, Any]) -> dict[str, Any]:
    """A server's answer to a request, its patch decoded and without what names its rule files."""
    status, body = server.post(json.dumps(review(request)).encode())
    assert status == 200, body
    response: dict[str, Any] = json.loads(body)["response"]
    decoded = patch(response)
    response.pop("patch", None)
    response.pop("auditAnnotations", None)
    response["warnings"] = len(response.get("warnings", ()))
    return {**response, "patch": decoded}


class TestImage:
    @pytest.mark.parametrize("name", REQUESTS)
    def test_answers_as_the_bundle_does(self, image: Served, bundle: Served, name: str) -> None:
        answer = answered(image, REQUESTS[name])
        assert answer == answered(bundle, REQUESTS[name])
        assert answer["allowed"] is True

    def test_swaps(self, image: Served) -> None:
        (operation,) = answered(image, REQUESTS["Deployment"])["patch"]
        assert operation == {
            "op": "replace",
            "path": "/spec/template/spec/containers/0/image",
            "value": "harbor.example/hub/nginx:1.25",
        }

    @pytest.mark.parametrize("name", NOT_REVIEWS)
    def test_refuses_as_the_bundle_does(self, image: Served, bundle: Served, name: str) -> None:
        assert image.post(NOT_REVIEWS[name])[0] == bundle.post(NOT_REVIEWS[name])[0] == 400

    @pytest.mark.usefixtures("image")
    def test_is_the_fast_one(self, address: str, kubectl: Kubectl) -> None:
        connection = http.client.HTTPConnection(address, 8080, timeout=10)
        connection.request("GET", "/metrics")
        metrics = connection.getresponse().read().decode()
        connection.close()
        (line,) = [x for x in metrics.splitlines() if x.startswith("imageswap_build_info{")]
        assert 'json="orjson"' in line
        # uvicorn takes these two where they can be imported.
        kubectl("exec", "imageswap", SCOPE, "--", "python3", "-c", "import httptools, uvloop")

    @pytest.mark.usefixtures("image")
    def test_runs_as_the_user_of_the_image(self, kubectl: Kubectl) -> None:
        assert kubectl("exec", "imageswap", SCOPE, "--", "id", "-u") == "65532\n"
