"""The webhook's server in the cluster: its bundle, certificate, Deployment and Service."""

import base64
import hashlib
from typing import NamedTuple

import pulumi
import pulumi_kubernetes as k8s

from imageswap.bundle import Bundle
from pulumi_imageswap import rules

PORT = 8443
# Pods and proxies learn of an endpoint's end within a second or two; until then they still call.
_DRAIN_SECONDS = 5
_GRACE_SECONDS = 30
# So long a replica must have been ready before it counts, so that all proxies know of it by then.
_SETTLE_SECONDS = 2
_NOBODY = 65532
_BUNDLE_FILE = "imageswap.pyz"
_HASH_LENGTH = 12


class Serving(NamedTuple):
    """What the server serves: the rules' ConfigMap and the certificate, PEM."""

    rules_config_map: pulumi.Input[str]
    certificate_pem: pulumi.Input[str]
    private_key_pem: pulumi.Input[str]


class WebhookServer(pulumi.ComponentResource):
    """The Deployment of the bundled server and the Service before it.

    The bundle, the rules and the certificate are in objects named by their content, so that a
    change of one rolls the Deployment, and nothing else does.
    """

    service: pulumi.Output[str]
    """The Service's name."""

    def __init__(
        self,
        name: str,
        bundle: Bundle,
        serving: Serving,
        *,
        namespace: pulumi.Input[str],
        image: pulumi.Input[str],
        replicas: pulumi.Input[int],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Run ``replicas`` of the bundle on the Python image ``image``."""
        super().__init__("imageswap:index:WebhookServer", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        labels = {"app.kubernetes.io/name": "imageswap", "app.kubernetes.io/instance": name}
        code = k8s.core.v1.ConfigMap(
            f"{name}-server",
            metadata={
                "name": f"{name}-server-{bundle.digest[:_HASH_LENGTH]}",
                "namespace": namespace,
                "labels": labels,
            },
            immutable=True,
            binary_data={_BUNDLE_FILE: base64.b64encode(bundle.content).decode()},
            opts=child,
        )
        certificate = k8s.core.v1.Secret(
            f"{name}-tls",
            metadata={
                "name": pulumi.Output.from_input(serving.certificate_pem).apply(
                    lambda pem: f"{name}-tls-{_hash(pem)}"
                ),
                "namespace": namespace,
                "labels": labels,
            },
            type="kubernetes.io/tls",
            immutable=True,
            string_data={
                "tls.crt": serving.certificate_pem,
                "tls.key": serving.private_key_pem,
            },
            opts=child,
        )
        volumes = (
            _Volume("server", "/imageswap/server", {"config_map": {"name": code.metadata.name}}),
            _Volume(
                "rules", "/imageswap/rules", {"config_map": {"name": serving.rules_config_map}}
            ),
            _Volume(
                "tls", "/imageswap/tls", {"secret": {"secret_name": certificate.metadata.name}}
            ),
        )
        service = k8s.core.v1.Service(
            f"{name}-service",
            metadata={
                "name": name,
                "namespace": namespace,
                "labels": labels,
                # That it has endpoints follows from the Deployment, which Pulumi waits for.
                "annotations": {"pulumi.com/skipAwait": "true"},
            },
            spec={
                "selector": labels,
                "ports": [{"name": "webhook", "port": 443, "target_port": "webhook"}],
            },
            opts=child,
        )
        k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata={"name": name, "namespace": namespace, "labels": labels},
            spec={
                "replicas": replicas,
                "min_ready_seconds": _SETTLE_SECONDS,
                "selector": {"match_labels": labels},
                # The new replica answers before an old one goes.
                "strategy": {
                    "type": "RollingUpdate",
                    "rolling_update": {"max_unavailable": 0, "max_surge": 1},
                },
                "template": {
                    "metadata": {"labels": labels},
                    "spec": _pod_spec(image, labels, volumes),
                },
            },
            opts=child,
        )
        self.service = service.metadata.name
        self.register_outputs({"service": self.service})


class _Volume(NamedTuple):
    name: str
    path: str
    source: dict[str, object]


def _pod_spec(
    image: pulumi.Input[str], labels: dict[str, str], volumes: tuple[_Volume, ...]
) -> dict[str, object]:
    return {
        "automount_service_account_token": False,
        "enable_service_links": False,
        "termination_grace_period_seconds": _GRACE_SECONDS,
        "security_context": {
            "run_as_non_root": True,
            "run_as_user": _NOBODY,
            "run_as_group": _NOBODY,
            "fs_group": _NOBODY,
            "seccomp_profile": {"type": "RuntimeDefault"},
        },
        "topology_spread_constraints": [
            {
                "max_skew": 1,
                "topology_key": key,
                "when_unsatisfiable": "ScheduleAnyway",
                "label_selector": {"match_labels": labels},
            }
            for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
        ],
        "containers": [
            {
                "name": "webhook",
                "image": image,
                "command": ["python3", f"/imageswap/server/{_BUNDLE_FILE}"],
                "args": [
                    f"--rules=/imageswap/rules/{rules.FILE_NAME}",
                    "--tls-cert=/imageswap/tls/tls.crt",
                    "--tls-key=/imageswap/tls/tls.key",
                    "--host=0.0.0.0",
                    f"--port={PORT}",
                    f"--drain={_DRAIN_SECONDS}",
                ],
                "ports": [{"name": "webhook", "container_port": PORT}],
                "readiness_probe": _probe("/readyz", period=2, failures=2),
                "startup_probe": _probe("/healthz", period=1, failures=60),
                "liveness_probe": _probe("/healthz", period=10, failures=3),
                "resources": {
                    "requests": {"cpu": "50m", "memory": "64Mi"},
                    "limits": {"memory": "256Mi"},
                },
                "security_context": {
                    "allow_privilege_escalation": False,
                    "read_only_root_filesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volume_mounts": [
                    {"name": volume.name, "mount_path": volume.path, "read_only": True}
                    for volume in volumes
                ],
            }
        ],
        "volumes": [{"name": volume.name, **volume.source} for volume in volumes],
    }


def _probe(path: str, *, period: int, failures: int) -> dict[str, object]:
    return {
        "http_get": {"path": path, "port": "webhook", "scheme": "HTTPS"},
        "period_seconds": period,
        "failure_threshold": failures,
        "timeout_seconds": 5,
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]
