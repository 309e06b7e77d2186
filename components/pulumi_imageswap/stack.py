"""Reads the settings of ``ImageSwap`` from the configuration of a Pulumi stack."""

import difflib
from collections.abc import Callable, Mapping
from typing import Any, cast

import pulumi
from pulumi.runtime.config import get_config_env

from pulumi_imageswap.settings import ImageSwapArgs

_Reader = Callable[[pulumi.Config, str], Any]

# The setting in the stack's configuration, the argument that it is, and how it is read.
_SETTINGS: Mapping[str, tuple[str, _Reader]] = {
    "cluster": ("cluster", pulumi.Config.get),
    "allowWithoutMirrors": ("allow_without_mirrors", pulumi.Config.get_bool),
    "rules": ("rules", pulumi.Config.get_object),
    "pack": ("pack", pulumi.Config.get_object),
    "namespace": ("namespace", pulumi.Config.get),
    "image": ("image", pulumi.Config.get),
    "replicas": ("replicas", pulumi.Config.get_int),
    "maxReplicas": ("max_replicas", lambda config, key: config.get_int(key) or None),
    "priorityClass": ("priority_class", pulumi.Config.get),
    "networkPolicy": ("network_policy", pulumi.Config.get_bool),
    "targets": ("targets", pulumi.Config.get),
    "mode": ("mode", pulumi.Config.get),
    "recordSource": ("record_source", pulumi.Config.get_bool),
    "label": ("label", pulumi.Config.get),
    "namespaces": ("namespaces", pulumi.Config.get),
    "includeKubeSystem": ("include_kube_system", pulumi.Config.get_bool),
    "failurePolicy": ("failure_policy", pulumi.Config.get),
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
    for setting, (argument, read) in _SETTINGS.items():
        try:
            value = read(config, setting)
        except pulumi.ConfigTypeError as error:
            problems.append(str(error))
            continue
        # Pulumi knows no setting that may be missing: an empty default stands for that.
        if value not in (None, [], {}):
            found[argument] = value
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
