"""What the webhook's server needs to ask registries: how to speak to them, and credentials."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from pulumi_imageswap import naming
from pulumi_imageswap.pod import CREDENTIALS_FILE, REGISTRIES_FILE
from pulumi_imageswap.settings import RegistryArgs

_FIELDS = {"ca": "ca", "insecure_skip_verify": "insecureSkipVerify", "scheme": "scheme"}


def registries_config_map(
    name: str,
    registries: Mapping[str, RegistryArgs],
    namespace: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """Make the ConfigMap of the registries' settings, named by them; gives its name."""
    text = pulumi.Output.from_input(dict(registries)).apply(_write)
    config_map = k8s.core.v1.ConfigMap(
        f"{name}-registries",
        metadata={
            "name": text.apply(lambda written: naming.by_text(f"{name}-registries", written)),
            "namespace": namespace,
        },
        immutable=True,
        data={REGISTRIES_FILE: text},
        opts=opts,
    )
    return config_map.metadata.name


def credentials_secret(
    name: str,
    docker_config: pulumi.Input[str],
    namespace: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """Make the Secret of the registries' credentials; gives its name.

    Pulumi names it, at random: a name made of the content would let whoever may list Secrets, but
    not read them, try passwords.
    """
    secret = k8s.core.v1.Secret(
        f"{name}-credentials",
        metadata={"namespace": namespace},
        type="kubernetes.io/dockerconfigjson",
        immutable=True,
        string_data={CREDENTIALS_FILE: pulumi.Output.secret(docker_config)},
        opts=opts,
    )
    return secret.metadata.name


def _write(registries: Mapping[str, Mapping[str, Any]]) -> str:
    settings = {
        registry: {_FIELDS[field]: value for field, value in found.items()}
        for registry, found in registries.items()
    }
    return json.dumps(settings, indent=1, sort_keys=True)
