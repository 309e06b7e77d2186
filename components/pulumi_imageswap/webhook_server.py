"""The webhook's server in the cluster: what it reads, its Deployment and its Service."""

import base64
from collections.abc import Mapping
from typing import NamedTuple

import pulumi
import pulumi_kubernetes as k8s

from imageswap.bundle import Bundle
from pulumi_imageswap import (
    availability,
    handover,
    monitoring,
    naming,
    network_policy,
    pod,
    registry_access,
)
from pulumi_imageswap.settings import RegistryArgs

# So long a replica must have been ready before it counts, so that all proxies know of it by then.
_SETTLE_SECONDS = 2


class Serving(NamedTuple):
    """What the server serves: its code, the rules' ConfigMap and the certificate, PEM.

    ``registries`` and ``registry_credentials`` are for asking registries, where that is done.
    """

    bundle: Bundle
    rules_config_map: pulumi.Input[str]
    certificate_pem: pulumi.Input[str]
    private_key_pem: pulumi.Input[str]
    registries: Mapping[str, RegistryArgs] | None
    registry_credentials: pulumi.Input[str] | None


class Operation(NamedTuple):
    """How the server is run.

    ``options`` are more options of ``imageswap serve``. With ``max_replicas`` the number of
    replicas follows the load, from ``replicas`` on. ``monitoring`` are the labels by which
    Prometheus selects what it takes; None for no monitoring.
    """

    image: pulumi.Input[str]
    options: tuple[str, ...]
    replicas: pulumi.Input[int]
    max_replicas: pulumi.Input[int] | None
    priority_class: str
    network_policy: bool
    asks_registries: bool
    monitoring: Mapping[str, str] | None


class WebhookServer(pulumi.ComponentResource):
    """The Deployment of the bundled server and the Service before it.

    The bundle, the rules and the certificate are in objects named by their content, so that a
    change of one rolls the Deployment, and nothing else does.
    """

    service: pulumi.Output[str]
    """The Service's name."""
    handed_over: pulumi.Output[None]
    """Known once no replica that was replaced is asked any more."""

    def __init__(
        self,
        name: str,
        serving: Serving,
        operation: Operation,
        namespace: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Run the server in a namespace."""
        super().__init__("imageswap:index:WebhookServer", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        labels = {"app.kubernetes.io/name": "imageswap", "app.kubernetes.io/instance": name}
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
                "ports": [
                    {"name": "webhook", "port": 443, "target_port": "webhook"},
                    {"name": "metrics", "port": pod.METRICS_PORT, "target_port": "metrics"},
                ],
            },
            opts=child,
        )
        quota = availability.allow_priority(name, namespace, operation.priority_class, child)
        template = pod.template(
            operation.image,
            _mounted(name, serving, namespace, labels, child),
            operation.options,
            labels,
            operation.priority_class,
        )
        spec: dict[str, object] = {
            "min_ready_seconds": _SETTLE_SECONDS,
            "selector": {"match_labels": labels},
            # The new replica answers before an old one goes.
            "strategy": {
                "type": "RollingUpdate",
                "rolling_update": {"max_unavailable": 0, "max_surge": 1},
            },
            "template": template,
        }
        if operation.max_replicas is None:
            spec["replicas"] = operation.replicas
        else:
            replicas = (operation.replicas, operation.max_replicas)
            availability.autoscale(name, namespace, labels, replicas, child)
        deployment = k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata={"name": name, "namespace": namespace, "labels": labels},
            spec=spec,
            opts=pulumi.ResourceOptions(parent=self, depends_on=quota),
        )
        availability.keep_available(name, namespace, labels, child)
        if operation.network_policy:
            network_policy.restrict(
                name, namespace, labels, child, may_ask=operation.asks_registries
            )
        if operation.monitoring is not None:
            monitoring.monitor(name, namespace, labels, operation.monitoring, child)
        self.service = service.metadata.name
        self.handed_over = deployment.status.apply(
            lambda status: handover.complete(status.conditions if status else None)
        )
        self.register_outputs({"service": self.service})


def _mounted(
    name: str,
    serving: Serving,
    namespace: pulumi.Input[str],
    labels: dict[str, str],
    opts: pulumi.ResourceOptions,
) -> pod.Mounted:
    """Make the objects that the server reads, each named by its content."""
    code = k8s.core.v1.ConfigMap(
        f"{name}-server",
        metadata={
            "name": naming.by_digest(f"{name}-server", serving.bundle.digest),
            "namespace": namespace,
            "labels": labels,
        },
        immutable=True,
        binary_data={pod.BUNDLE_FILE: base64.b64encode(serving.bundle.content).decode()},
        opts=opts,
    )
    certificate = k8s.core.v1.Secret(
        f"{name}-tls",
        metadata={
            "name": pulumi.Output.from_input(serving.certificate_pem).apply(
                lambda pem: naming.by_text(f"{name}-tls", pem)
            ),
            "namespace": namespace,
            "labels": labels,
        },
        type="kubernetes.io/tls",
        immutable=True,
        string_data={"tls.crt": serving.certificate_pem, "tls.key": serving.private_key_pem},
        opts=opts,
    )
    registries, credentials = serving.registries, serving.registry_credentials
    return pod.Mounted(
        bundle=code.metadata.name,
        rules=serving.rules_config_map,
        certificate=certificate.metadata.name,
        registries=(
            registry_access.registries_config_map(name, registries, namespace, opts)
            if registries
            else None
        ),
        credentials=(
            registry_access.credentials_secret(name, credentials, namespace, opts)
            if credentials is not None
            else None
        ),
    )
