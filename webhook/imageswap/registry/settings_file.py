"""Reads the settings of registries from a JSON file."""

import difflib
import json
from collections.abc import Mapping
from typing import Any

from imageswap.registry.settings import InvalidSettings, RegistrySettings

_FIELDS: Mapping[str, tuple[str, type]] = {
    "ca": ("ca", str),
    "insecureSkipVerify": ("insecure_skip_verify", bool),
    "scheme": ("scheme", str),
}


def read(text: str) -> dict[str, RegistrySettings]:
    """Read settings by registry.

    Takes JSON such as ``{"harbor.example:8443": {"ca": "-----BEGIN…", "insecureSkipVerify": false,
    "scheme": "https"}}``, in which each field may be left out.

    Raises:
        InvalidSettings: with the registry and the field that are wrong, and what they should be.
    """
    try:
        registries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidSettings(f"it is not JSON: {error}") from None
    if not isinstance(registries, dict):
        raise InvalidSettings("it is not a JSON object of registries")
    return {registry: _settings(registry, fields) for registry, fields in registries.items()}


def _settings(registry: str, fields: Any) -> RegistrySettings:
    if not isinstance(fields, dict):
        raise InvalidSettings(f"{registry}: its settings are not a JSON object")
    found: dict[str, Any] = {}
    for field, value in fields.items():
        if field not in _FIELDS:
            near = difflib.get_close_matches(field, _FIELDS, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(_FIELDS)}"
            raise InvalidSettings(f"{registry}: `{field}` is not a setting; {hint}")
        name, kind = _FIELDS[field]
        if not isinstance(value, kind):
            raise InvalidSettings(f"{registry}: `{field}` is not a {kind.__name__}")
        found[name] = value
    return RegistrySettings(**found)
