"""Where the built-in workloads of Kubernetes keep their images.

Source: the API types of ``k8s.io/api`` (core/v1 PodSpec, apps/v1, batch/v1).
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Json = Any

# Where a Pod's own spec stands, and where a workload's Pod template stands.
POD = "Pod"
_TEMPLATE_PATHS: Mapping[str, tuple[str, ...]] = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
VOLUMES = "volumes"
_CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")

KINDS = (POD, *_TEMPLATE_PATHS)


class ImageField(NamedTuple):
    """One image of an object.

    ``pointer`` is the JSON Pointer (RFC 6901) of the field, ``identity`` names it across versions
    of the object: the list that it stands in and its container's or volume's name.
    """

    pointer: str
    identity: tuple[str, str]
    image: str


class PodPart(NamedTuple):
    """The part of an object that holds ``metadata`` and a Pod ``spec``, and its JSON Pointer."""

    pointer: str
    content: Mapping[str, Json]


def pod_part(kind: str, obj: Json) -> PodPart | None:
    """Find the Pod or Pod template of an object.

    Takes the object's kind and the object; gives None where the kind has none, or the object does
    not hold it. Never raises, whatever the object is.
    """
    path = () if kind == POD else _TEMPLATE_PATHS.get(kind)
    if path is None:
        return None
    part = obj
    for key in path:
        part = part.get(key) if isinstance(part, dict) else None
    return PodPart("".join(f"/{key}" for key in path), part) if isinstance(part, dict) else None


def images(part: PodPart) -> Iterator[ImageField]:
    """Give every image of a Pod or Pod template that holds text; passes over what is malformed."""
    spec = part.content.get("spec")
    if not isinstance(spec, dict):
        return
    for field in _CONTAINER_LISTS:
        for index, container in _entries(spec.get(field)):
            image = container.get("image")
            if isinstance(image, str) and image:
                pointer = f"{part.pointer}/spec/{field}/{index}/image"
                yield ImageField(pointer, (field, _name(container)), image)
    for index, volume in _entries(spec.get(VOLUMES)):
        source = volume.get("image")
        reference = source.get("reference") if isinstance(source, dict) else None
        if isinstance(reference, str) and reference:
            pointer = f"{part.pointer}/spec/{VOLUMES}/{index}/image/reference"
            yield ImageField(pointer, (VOLUMES, _name(volume)), reference)


def _entries(value: Json) -> Iterator[tuple[int, Mapping[str, Json]]]:
    if isinstance(value, list):
        for index, entry in enumerate(value):
            if isinstance(entry, dict):
                yield index, entry


def _name(entry: Mapping[str, Json]) -> str:
    name = entry.get("name")
    return name if isinstance(name, str) else ""
