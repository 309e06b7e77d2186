"""``ImageSwap``: everything that a cluster needs to swap images, as one component."""

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from imageswap.admission.decision import DEFAULT_LABEL
from imageswap.bundle import build
from imageswap.rules.ruleset import Ruleset
from pulumi_imageswap.certificate import Certificate
from pulumi_imageswap.registration import Registration, Scope
from pulumi_imageswap.rules import Rules
from pulumi_imageswap.settings import (
    DEFAULT_IMAGE,
    DEFAULT_PRIORITY_CLASS,
    DEFAULT_REMEMBER_FOUND,
    DEFAULT_REMEMBER_MISSING,
    DEFAULT_REPLICAS,
    ImageSwapArgs,
    choice,
    problems,
)
from pulumi_imageswap.sources import InvalidRules, load_rules
from pulumi_imageswap.webhook_server import Operation, Serving, WebhookServer


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
    """The SHA-256 of the rules that every replica answers by, in hexadecimal."""
    rules: pulumi.Output[str]
    """The rules that every replica answers by, as one map, a rule a line."""

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
        wrong = problems(args)
        if wrong:
            raise pulumi.RunError("imageswap: " + "\nimageswap: ".join(wrong))
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
            Serving(
                bundle=build(),
                rules_config_map=rules.config_map,
                certificate_pem=certificate.certificate_pem,
                private_key_pem=certificate.private_key_pem,
                registries=args.get("registries"),
                registry_credentials=args.get("registry_credentials"),
            ),
            Operation(
                image=image,
                options=_options(args),
                replicas=args.get("replicas", DEFAULT_REPLICAS),
                max_replicas=args.get("max_replicas"),
                priority_class=args.get("priority_class", DEFAULT_PRIORITY_CLASS),
                network_policy=args.get("network_policy", False),
                monitoring=(
                    args.get("monitoring_labels", {}) if args.get("monitoring", False) else None
                ),
                asks_registries=choice(args, "missingImage") == "source",
            ),
            self.namespace,
            opts=child,
        )
        Registration(
            name,
            server.service,
            self.namespace,
            certificate.ca_pem,
            Scope(
                label=args.get("label", DEFAULT_LABEL),
                opt_in=choice(args, "namespaces") == "optIn",
                kube_system=args.get("include_kube_system", False),
            ),
            choice(args, "failurePolicy"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[server]),
        )
        self.service_name = server.service
        self.ca_pem = certificate.ca_pem
        in_force = pulumi.Output.all(rules.hash, rules.text, server.handed_over)
        self.rules_hash = in_force[0]
        self.rules = in_force[1]
        self.register_outputs(
            {
                "namespace": self.namespace,
                "serviceName": self.service_name,
                "caPem": self.ca_pem,
                "rulesHash": self.rules_hash,
                "rules": self.rules,
            }
        )


def _options(args: ImageSwapArgs) -> tuple[str, ...]:
    """Give the options of ``imageswap serve`` that the settings ask for."""
    options = [
        f"--targets={choice(args, 'targets')}",
        f"--mode={choice(args, 'mode')}",
        f"--label={args.get('label', DEFAULT_LABEL)}",
    ]
    if choice(args, "missingImage") == "source":
        found = args.get("remember_found", DEFAULT_REMEMBER_FOUND)
        missing = args.get("remember_missing", DEFAULT_REMEMBER_MISSING)
        options += [
            "--missing-image=source",
            f"--remember-found={found}",
            f"--remember-missing={missing}",
        ]
    if args.get("record_source", False):
        options.append("--record-source")
    return tuple(options)


def _load(given: Sequence[Any]) -> Ruleset:
    files, pack = given
    try:
        ruleset = load_rules(files or [], pack)
    except InvalidRules as error:
        raise pulumi.RunError(f"imageswap: the rules have errors\n{error}") from None
    for warning in ruleset.warnings:
        pulumi.log.warn(f"imageswap: {warning}")
    return ruleset
