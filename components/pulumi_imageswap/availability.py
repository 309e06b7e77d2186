"""What keeps the server there: its disruption budget, autoscaling, and quota for its priority."""

import pulumi
import pulumi_kubernetes as k8s

_TARGET_CPU_PERCENT = 70
_SYSTEM_PRIORITIES = ("system-cluster-critical", "system-node-critical")


def keep_available(
    name: str,
    namespace: pulumi.Input[str],
    labels: dict[str, str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Let a drain take one replica at a time."""
    k8s.policy.v1.PodDisruptionBudget(
        f"{name}-budget",
        metadata={"name": name, "namespace": namespace, "labels": labels},
        spec={"max_unavailable": 1, "selector": {"match_labels": labels}},
        opts=opts,
    )


def autoscale(
    name: str,
    namespace: pulumi.Input[str],
    labels: dict[str, str],
    replicas: tuple[pulumi.Input[int], pulumi.Input[int]],
    opts: pulumi.ResourceOptions,
) -> None:
    """Scale the Deployment ``name`` by CPU between the least and the most replicas."""
    least, most = replicas
    k8s.autoscaling.v2.HorizontalPodAutoscaler(
        f"{name}-autoscaler",
        # Pulumi would wait for figures that it may take minutes to have.
        metadata={
            "name": name,
            "namespace": namespace,
            "labels": labels,
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        spec={
            "scale_target_ref": {"api_version": "apps/v1", "kind": "Deployment", "name": name},
            "min_replicas": least,
            "max_replicas": most,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {
                            "type": "Utilization",
                            "average_utilization": _TARGET_CPU_PERCENT,
                        },
                    },
                }
            ],
        },
        opts=opts,
    )


def allow_priority(
    name: str, namespace: pulumi.Input[str], priority_class: str, opts: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    """Let the namespace use a priority class of the system.

    Some managed clusters, GKE among them, keep those to namespaces with a quota for them. Gives
    what the Deployment must wait for.
    """
    if priority_class not in _SYSTEM_PRIORITIES:
        return []
    quota = k8s.core.v1.ResourceQuota(
        f"{name}-priority",
        metadata={"name": name, "namespace": namespace},
        spec={
            "hard": {"pods": "1000"},
            "scope_selector": {
                "match_expressions": [
                    {
                        "operator": "In",
                        "scope_name": "PriorityClass",
                        "values": [priority_class],
                    }
                ]
            },
        },
        opts=opts,
    )
    return [quota]
