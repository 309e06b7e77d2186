"""``ImageSwap``: everything that a cluster needs to swap images, as one component."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import pulumi
import pulumi_kubernetes as k8s

from imageswap.bundle import build
from imageswap.rules.ruleset import Ruleset
from pulumi_imageswap import clusters
from pulumi_imageswap.certificate import Certificate
from pulumi_imageswap.registration import Registration
from pulumi_imageswap.rules import Rules
from pulumi_imageswap.sources import InvalidRules, load_rules
from pulumi_imageswap.webhook_server import Serving, WebhookServer

DEFAULT_IMAGE = "docker.io/library/python:3.13-slim"
DEFAULT_REPLICAS = 2


class ImageSwapArgs(TypedDict, total=False):
    """The settings of ``ImageSwap``."""

    cluster: str
    """The kind of cluster: eks, aks or gke (managed), or kubeadm, k3s, rke2, talos, openshift or
    palette (non-managed). Required."""
    allow_without_mirrors: bool
    """Accept a non-managed cluster without mirror registries. False by default."""
    rules: pulumi.Input[Sequence[pulumi.Input[str]]]
    """Rule map files; a later one overrides earlier ones key by key."""
    pack: pulumi.Input[Mapping[str, Any]]
    """The content of a Palette Kubernetes pack, whole or its `imageSwap` block; it overrides
    `rules` key by key."""
    namespace: str
    """The namespace to make for the webhook. By default the component's name and `-system`."""
    image: pulumi.Input[str]
    """The Python image (3.11 or newer) that the server runs on; it is passed through the rules.
    `docker.io/library/python:3.13-slim` by default."""
    replicas: pulumi.Input[int]
    """How many replicas of the server to run. 2 by default."""


class ImageSwap(pulumi.ComponentResource):
    """Swaps the images of a cluster's workloads by rules.

    Makes a namespace, a certificate, the rules' ConfigMap, the server's Deployment and Service,
    and, last, the registration with the API server.
    """

    namespace: pulumi.Output[str]
    """The webhook's namespace."""
    service_name: pulumi.Output[str]
    """The name of the webhook's Service."""
    ca_pem: pulumi.Output[str]
    """The certificate of the CA that the API server trusts the webhook by, PEM."""
    rules_hash: pulumi.Output[str]
    """The SHA-256 of the rules in force, in hexadecimal."""
    rules: pulumi.Output[str]
    """The rules in force as one map, a rule a line."""

    def __init__(
        self, name: str, args: ImageSwapArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Make the component.

        ``name`` is also the name of its objects in the cluster, so two instances in one cluster
        need two names.

        Raises:
            pulumi.RunError: where the settings are wrong, before anything is made.
        """
        super().__init__("imageswap:index:ImageSwap", name, None, opts)
        _check(args)
        child = pulumi.ResourceOptions(parent=self)
        ruleset = pulumi.Output.all(args.get("rules"), args.get("pack")).apply(_load)
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace",
            metadata={"name": args.get("namespace", f"{name}-system")},
            opts=child,
        )
        self.namespace = namespace.metadata.name
        certificate = Certificate(name, name, self.namespace, opts=child)
        rules = Rules(name, ruleset, self.namespace, opts=child)
        image = pulumi.Output.all(ruleset, args.get("image", DEFAULT_IMAGE)).apply(
            lambda both: both[0].engine.swap(both[1]).target
        )
        server = WebhookServer(
            name,
            build(),
            Serving(rules.config_map, certificate.certificate_pem, certificate.private_key_pem),
            namespace=self.namespace,
            image=image,
            replicas=args.get("replicas", DEFAULT_REPLICAS),
            opts=child,
        )
        Registration(
            name,
            server.service,
            self.namespace,
            certificate.ca_pem,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[server]),
        )
        self.service_name = server.service
        self.ca_pem = certificate.ca_pem
        self.rules_hash = rules.hash
        self.rules = rules.text
        self.register_outputs(
            {
                "namespace": self.namespace,
                "serviceName": self.service_name,
                "caPem": self.ca_pem,
                "rulesHash": self.rules_hash,
                "rules": self.rules,
            }
        )


def _check(args: ImageSwapArgs) -> None:
    problems = []
    if "cluster" in args:
        problem = clusters.check(
            args["cluster"], allow_without_mirrors=args.get("allow_without_mirrors", False)
        )
        problems.append(problem)
    else:
        known = ", ".join((*clusters.MANAGED, *clusters.NON_MANAGED))
        problems.append(f"cluster: it is required; write one of {known}")
    if args.get("rules") is None and args.get("pack") is None:
        problems.append("rules: there are none; give map files as `rules`, or a `pack`")
    if any(problems):
        raise pulumi.RunError("imageswap: " + "\nimageswap: ".join(filter(None, problems)))


def _load(given: Sequence[Any]) -> Ruleset:
    files, pack = given
    try:
        ruleset = load_rules(files or [], pack)
    except InvalidRules as error:
        raise pulumi.RunError(f"imageswap: the rules have errors\n{error}") from None
    for warning in ruleset.warnings:
        pulumi.log.warn(f"imageswap: {warning}")
    return ruleset
