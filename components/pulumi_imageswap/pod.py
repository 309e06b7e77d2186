"""The Pod of the webhook's server: a stock Python image that runs the bundle, with no rights."""

from collections.abc import Sequence
from typing import NamedTuple

import pulumi

from pulumi_imageswap.rules import FILE_NAME

PORT, METRICS_PORT = 8443, 8080
BUNDLE_FILE, REGISTRIES_FILE = "imageswap.pyz", "registries.json"
CREDENTIALS_FILE = ".dockerconfigjson"
# Pods and proxies learn of an endpoint's end within a second or two; until then they still call.
_DRAIN_SECONDS = 5
_GRACE_SECONDS = 30
_NOBODY = 65532


class Mounted(NamedTuple):
    """The names of the objects that the server reads.

    ConfigMaps, the Secret of its TLS, and, where registries are asked, the ConfigMap of how and the
    Secret of the credentials.
    """

    bundle: pulumi.Input[str]
    rules: pulumi.Input[str]
    certificate: pulumi.Input[str]
    registries: pulumi.Input[str] | None
    credentials: pulumi.Input[str] | None


def template(
    image: pulumi.Input[str],
    mounted: Mounted,
    options: Sequence[str],
    labels: dict[str, str],
    priority_class: str,
) -> dict[str, object]:
    """Make the Pod template.

    Takes the Python image, what is mounted, more options for ``imageswap serve``, the Pod's labels
    and its priority class. The Pod keeps to the restricted Pod Security Standard and gets no token
    of the API server.
    """
    volumes: dict[str, dict[str, object]] = {
        "server": {"config_map": {"name": mounted.bundle}},
        "rules": {"config_map": {"name": mounted.rules}},
        "tls": {"secret": {"secret_name": mounted.certificate}},
    }
    options = list(options)
    if mounted.registries is not None:
        volumes["registries"] = {"config_map": {"name": mounted.registries}}
        options.append(f"--registries=/imageswap/registries/{REGISTRIES_FILE}")
    if mounted.credentials is not None:
        volumes["credentials"] = {"secret": {"secret_name": mounted.credentials}}
        options.append(f"--registry-credentials=/imageswap/credentials/{CREDENTIALS_FILE}")
    return {
        "metadata": {"labels": labels},
        "spec": {
            "automount_service_account_token": False,
            "enable_service_links": False,
            "priority_class_name": priority_class,
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
            "containers": [_container(image, options, list(volumes))],
            "volumes": [{"name": name, **source} for name, source in volumes.items()],
        },
    }


def _container(
    image: pulumi.Input[str], options: Sequence[str], volumes: Sequence[str]
) -> dict[str, object]:
    return {
        "name": "webhook",
        "image": image,
        "command": ["python3", f"/imageswap/server/{BUNDLE_FILE}"],
        "args": [
            f"--rules=/imageswap/rules/{FILE_NAME}",
            "--tls-cert=/imageswap/tls/tls.crt",
            "--tls-key=/imageswap/tls/tls.key",
            "--host=0.0.0.0",
            f"--port={PORT}",
            f"--metrics-port={METRICS_PORT}",
            f"--drain={_DRAIN_SECONDS}",
            *options,
        ],
        "ports": [
            {"name": "webhook", "container_port": PORT},
            {"name": "metrics", "container_port": METRICS_PORT},
        ],
        "startup_probe": _probe("/healthz", period=1, failures=60),
        "readiness_probe": _probe("/readyz", period=1, failures=3),
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
            {"name": name, "mount_path": f"/imageswap/{name}", "read_only": True}
            for name in volumes
        ],
    }


def _probe(path: str, *, period: int, failures: int) -> dict[str, object]:
    return {
        "http_get": {"path": path, "port": "webhook", "scheme": "HTTPS"},
        "period_seconds": period,
        "failure_threshold": failures,
        "timeout_seconds": 5,
    }
