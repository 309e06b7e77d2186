"""Reads the settings of ``ImageSwap`` from the configuration of a Pulumi stack."""

import difflib
from collections.abc import Callable, Mapping
from typing import Any, cast

import pulumi
from pulumi.runtime.config import get_config, get_config_env, is_config_secret

from pulumi_imageswap.settings import ImageSwapArgs, RegistryArgs, argument_name

_Reader = Callable[[pulumi.Config, str], Any]


def _get_registries(config: pulumi.Config, setting: str) -> dict[str, RegistryArgs] | None:
    """Read a mapping of registries, whose fields are named in the stack as all settings are."""
    registries = config.get_object(setting)
    if not registries:
        return None
    return {
        registry: cast(
            RegistryArgs, {argument_name(field): value for field, value in found.items()}
        )
        for registry, found in registries.items()
    }


def _get_secret(config: pulumi.Config, setting: str) -> pulumi.Output[str] | None:
    """Read a secret, of which an empty default says that there is none.

    Raises:
        ValueError: where it stands in the stack's file for all to read.
    """
    key = config.full_key(setting)
    if not get_config(key):
        return None
    if not is_config_secret(key):
        raise ValueError(f"{setting}: it is not encrypted; `pulumi config set --secret {key}` it")
    return config.get_secret(setting)


# The settings in the stack's configuration and how each is read.
_SETTINGS: Mapping[str, _Reader] = {
    "cluster": pulumi.Config.get,
    "allowWithoutMirrors": pulumi.Config.get_bool,
    "rules": pulumi.Config.get_object,
    "pack": pulumi.Config.get_object,
    "namespace": pulumi.Config.get,
    "image": pulumi.Config.get,
    "replicas": pulumi.Config.get_int,
    "maxReplicas": lambda config, key: config.get_int(key) or None,
    "priorityClass": pulumi.Config.get,
    "networkPolicy": pulumi.Config.get_bool,
    "monitoring": pulumi.Config.get_bool,
    "monitoringLabels": pulumi.Config.get_object,
    "targets": pulumi.Config.get,
    "mode": pulumi.Config.get,
    "recordSource": pulumi.Config.get_bool,
    "label": pulumi.Config.get,
    "namespaces": pulumi.Config.get,
    "includeKubeSystem": pulumi.Config.get_bool,
    "missingImage": pulumi.Config.get,
    "registries": _get_registries,
    "registryCredentials": _get_secret,
    "rememberFound": pulumi.Config.get_int,
    "rememberMissing": pulumi.Config.get_int,
    "failurePolicy": pulumi.Config.get,
}


def args_from_config() -> ImageSwapArgs:
    """Read the stack's settings, which are named as the project is.

    Gives the arguments that are set.

    Raises:
        pulumi.RunError: where a setting is unknown (it names the nearest known one) or of another
            type than it should be.
    """
    config = pulumi.Config()
    problems = _unknown_settings(config.name)
    found: dict[str, Any] = {}
    for setting, read in _SETTINGS.items():
        try:
            value = read(config, setting)
        except (pulumi.ConfigTypeError, ValueError) as error:
            problems.append(str(error))
            continue
        # Pulumi knows no setting that may be missing: an empty default stands for that.
        if not isinstance(value, pulumi.Output) and value in (None, [], {}):
            continue
        found[argument_name(setting)] = value
    if problems:
        raise pulumi.RunError("imageswap: " + "\nimageswap: ".join(problems))
    return cast(ImageSwapArgs, found)


def _unknown_settings(project: str) -> list[str]:
    problems = []
    for key in sorted(get_config_env()):
        namespace, _, setting = key.partition(":")
        if namespace == project and setting not in _SETTINGS:
            near = difflib.get_close_matches(setting, _SETTINGS, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(_SETTINGS)}"
            problems.append(f"`{key}` is not a setting; {hint}")
    return problems
