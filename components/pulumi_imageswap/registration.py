"""The registration of the webhook with the API server."""

import base64
from typing import NamedTuple

import pulumi
import pulumi_kubernetes as k8s

from imageswap.admission.decision import LABEL_DISABLED

_TIMEOUT_SECONDS = 5
_LABEL_ENABLED = "enabled"
_SYSTEM_NAMESPACE, _HEARTBEATS_NAMESPACE = "kube-system", "kube-node-lease"
_NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name"
_RESOURCES = (
    ("", ["pods", "pods/ephemeralcontainers", "replicationcontrollers"]),
    ("apps", ["deployments", "statefulsets", "daemonsets", "replicasets"]),
    ("batch", ["jobs", "cronjobs"]),
)


class Scope(NamedTuple):
    """Which objects the API server asks the webhook about.

    ``label`` is the key of the label by which objects and namespaces opt out, or namespaces opt in
    where ``opt_in``. ``kube_system`` is whether that namespace is like any other.
    """

    label: str
    opt_in: bool
    kube_system: bool


class Registration(pulumi.ComponentResource):
    """The MutatingWebhookConfiguration.

    Make it depend on the server, so that it comes last and goes first: the API server never calls
    a webhook that is not there.
    """

    def __init__(
        self,
        name: str,
        service: pulumi.Input[str],
        namespace: pulumi.Input[str],
        ca_pem: pulumi.Input[str],
        scope: Scope,
        failure_policy: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the Service ``service`` of ``namespace``, trusted by the CA ``ca_pem``."""
        super().__init__("imageswap:index:Registration", name, None, opts)
        ca_bundle = pulumi.Output.from_input(ca_pem).apply(
            lambda pem: base64.b64encode(pem.encode()).decode()
        )
        not_disabled = {"key": scope.label, "operator": "NotIn", "values": [LABEL_DISABLED]}
        enabled = {"key": scope.label, "operator": "In", "values": [_LABEL_ENABLED]}
        # The webhook must not wait for itself, nor the nodes' heartbeats for it.
        excluded: list[pulumi.Input[str]] = [_HEARTBEATS_NAMESPACE, namespace]
        if not scope.kube_system:
            excluded.append(_SYSTEM_NAMESPACE)
        k8s.admissionregistration.v1.MutatingWebhookConfiguration(
            f"{name}-webhook",
            metadata={"name": name},
            webhooks=[
                {
                    "name": f"{name}.imageswap.io",
                    "client_config": {
                        "service": {
                            "name": service,
                            "namespace": namespace,
                            "path": "/mutate",
                            "port": 443,
                        },
                        "ca_bundle": ca_bundle,
                    },
                    "rules": [
                        {
                            "api_groups": [group],
                            "api_versions": ["v1"],
                            "resources": resources,
                            "operations": ["CREATE", "UPDATE"],
                            "scope": "Namespaced",
                        }
                        for group, resources in _RESOURCES
                    ],
                    "namespace_selector": {
                        "match_expressions": [
                            {
                                "key": _NAMESPACE_NAME_LABEL,
                                "operator": "NotIn",
                                "values": excluded,
                            },
                            enabled if scope.opt_in else not_disabled,
                        ]
                    },
                    "object_selector": {"match_expressions": [not_disabled]},
                    "failure_policy": failure_policy,
                    "match_policy": "Equivalent",
                    "reinvocation_policy": "IfNeeded",
                    "side_effects": "None",
                    "timeout_seconds": _TIMEOUT_SECONDS,
                    "admission_review_versions": ["v1"],
                }
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
