"""The NetworkPolicy of the webhook's server."""

import pulumi
import pulumi_kubernetes as k8s

from pulumi_imageswap.pod import METRICS_PORT, PORT


def restrict(
    name: str,
    namespace: pulumi.Input[str],
    labels: dict[str, str],
    opts: pulumi.ResourceOptions,
    *,
    may_ask: bool,
) -> None:
    """Let the server be asked on its two ports, and ask nobody unless ``may_ask``.

    Whoever asks may come from anywhere: the API server's address is not known to a NetworkPolicy.
    Nor are those of the registries, which are named by host.
    """
    k8s.networking.v1.NetworkPolicy(
        f"{name}-network",
        metadata={"name": name, "namespace": namespace, "labels": labels},
        spec={
            "pod_selector": {"match_labels": labels},
            "policy_types": ["Ingress", "Egress"],
            "ingress": [
                {"ports": [{"protocol": "TCP", "port": port} for port in (PORT, METRICS_PORT)]}
            ],
            "egress": [{}] if may_ask else [],
        },
        opts=opts,
    )
