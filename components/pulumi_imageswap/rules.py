"""The rules in force, compiled and checked, in a ConfigMap named by what they are."""

import pulumi
import pulumi_kubernetes as k8s

from imageswap.rules.ruleset import Ruleset
from pulumi_imageswap import naming

FILE_NAME = "rules.map"


class Rules(pulumi.ComponentResource):
    """The ConfigMap of the rules. Other rules make another ConfigMap, and so roll the server."""

    config_map: pulumi.Output[str]
    """The ConfigMap's name, which ends with the rules' hash."""
    hash: pulumi.Output[str]
    """The SHA-256 of the rules in force, in hexadecimal."""
    text: pulumi.Output[str]
    """The rules in force as one map."""

    def __init__(
        self,
        name: str,
        ruleset: pulumi.Input[Ruleset],
        namespace: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the ConfigMap of a ruleset without errors."""
        super().__init__("imageswap:index:Rules", name, None, opts)
        loaded = pulumi.Output.from_input(ruleset)
        self.hash = loaded.apply(lambda rules: rules.digest)
        self.text = loaded.apply(lambda rules: rules.text)
        config_map = k8s.core.v1.ConfigMap(
            f"{name}-rules",
            metadata={
                "name": self.hash.apply(lambda digest: naming.by_digest(f"{name}-rules", digest)),
                "namespace": namespace,
            },
            immutable=True,
            data={FILE_NAME: self.text},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.config_map = config_map.metadata.name
        self.register_outputs({"hash": self.hash, "text": self.text})
