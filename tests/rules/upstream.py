"""What ImageSwap 1.5 answers, restated to compare with: its ``swap_image`` in "MAPS" mode.

Restated from its behaviour (``phenixblue/imageswap-webhook``, v1.5.3), defects included.
"""

import os.path
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from typing import NamedTuple

_EXACT = "[EXACT]"
_REPLACE = "[REPLACE]"


class Maps(NamedTuple):
    """The three kinds of rule, each by its key."""

    exact: Mapping[str, str]
    replace: Mapping[str, str]
    registries: Mapping[str, str]


def read(lines: Iterable[str]) -> Maps:
    """Read a map's lines, passing over those that it does not understand."""
    exact, replace, registries = {}, {}, {}
    for line in lines:
        compact = "".join(line.partition("#")[0].split())
        for separator in ("::", ":"):
            if compact.count(separator) == 1:
                key, _, value = compact.partition(separator)
                break
        else:
            continue
        if key.startswith(_EXACT):
            exact[key.removeprefix(_EXACT)] = value
        elif key.startswith(_REPLACE):
            replace[key.removeprefix(_REPLACE)] = value
        else:
            registries[key] = value
    return Maps(exact, replace, registries)


def swap(maps: Maps, image: str) -> str:
    """Swap an image, once.

    Raises:
        KeyError: There is a rule ``REGISTRY/library``, and none for the registry.
        re.error: A key is not a regular expression.
    """
    if image in maps.exact:
        return maps.exact[image]
    for pattern, target in maps.replace.items():
        if fnmatch(image, pattern):
            return os.path.join(target, image.split("/")[-1])  # noqa: PTH118
    if "default" not in maps.registries:
        return image
    return _swap_by_registry(maps.registries, image)


def _swap_by_registry(rules: Mapping[str, str], image: str) -> str:
    first, slash, rest = image.partition("/")
    is_written = bool("." in first and slash and rest)
    registry = first if is_written else "docker.io"
    host = registry.partition(":")[0]
    key = host if registry not in rules and host in rules else registry
    if key in rules or f"{key}/library" in rules:
        if not slash and f"{key}/library" in rules:
            key = f"{key}/library"
        target = rules[key]
        if target.endswith("-"):
            without_port = re.sub(":.*/", "/", image)
            return target + (without_port if is_written else f"{host}/{without_port}")
        return _put(target, key, key, image)
    words = rules.get("noswap_wildcards", "")
    if words and any(word in image for word in words.split(",")):
        return image
    target = rules["default"]
    if target.endswith("-"):
        return f"{target}{host}/{image}"
    return _put(target, key, registry, image)


def _put(target: str, key: str, pattern: str, image: str) -> str:
    if not target:
        return image
    return re.sub(pattern, target, image) if key in image else f"{target}/{image}"
