"""Writes the images that mirrors must hold for the tools that copy images."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import yaml

from imageswap.rules import reference
from imageswap.rules.reference import Reference

_NO_TAG = "latest"


class Copy(NamedTuple):
    """An image to be copied, and where to."""

    source: str
    target: str


class Destination(NamedTuple):
    """Where ``skopeo sync`` has to copy to, and whether with ``--scoped``."""

    place: str
    scoped: bool


def as_lines(copies: Iterable[Copy]) -> str:
    """Write ``SOURCE<TAB>TARGET`` a line."""
    return "".join(f"{copy.source}\t{copy.target}\n" for copy in copies)


def as_skopeo(copies: Iterable[Copy]) -> str:
    """Write the YAML that ``skopeo sync --src yaml`` reads.

    It names the sources only, registry by registry, with their tags and digests; an image with both
    by its digest, as nodes pull it. Source: skopeo-sync(1).
    """
    registries: dict[str, dict[str, set[str]]] = {}
    for copy in copies:
        image = reference.require(copy.source)
        repositories = registries.setdefault(image.host + image.port, {})
        repositories.setdefault(image.full_path, set()).add(_version(image))
    return _dump(
        {
            registry: {
                "images": {path: sorted(versions) for path, versions in sorted(paths.items())}
            }
            for registry, paths in sorted(registries.items())
        }
    )


def skopeo_destination(copies: Iterable[Copy]) -> Destination | None:
    """Find the one destination from which ``skopeo sync`` puts each image at its target.

    Gives None where there is none. Source: skopeo-sync(1): an image goes to DESTINATION/NAME, or
    with ``--scoped`` to DESTINATION/REGISTRY/PATH.
    """
    common: set[Destination] | None = None
    for copy in copies:
        possible = _destinations(reference.require(copy.source), reference.require(copy.target))
        common = possible if common is None else common & possible
    return min(common, key=lambda found: not found.scoped) if common else None


def as_regsync(copies: Iterable[Copy]) -> str:
    """Write the configuration that regsync reads. Source: regclient, docs/regsync.md."""
    return _dump(
        {
            "version": 1,
            "sync": [
                {"source": copy.source, "target": copy.target, "type": "image"} for copy in copies
            ],
        }
    )


def _version(image: Reference) -> str:
    tag, _, digest = image.suffix.removeprefix(":").partition("@")
    return digest or tag or _NO_TAG


def _destinations(source: Reference, target: Reference) -> set[Destination]:
    if _version(source) != _version(target):
        return set()
    ends = (
        (f"/{source.repository}", True),
        (f"/{source.full_path.rpartition('/')[2]}", False),
    )
    place = target.repository
    return {
        Destination(place.removesuffix(end), scoped) for end, scoped in ends if place.endswith(end)
    }


def _dump(document: Any) -> str:
    return str(yaml.safe_dump(document, sort_keys=False))
