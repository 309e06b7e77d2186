"""Decides what an admission request becomes: which images are swapped, by which rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from imageswap.admission.workloads import POD, ImageField, Json, images, pod_part
from imageswap.rules.engine import Swap

DEFAULT_LABEL = "k8s.twr.io/imageswap"
LABEL_DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the decision needs to know besides the rules.

    ``label`` is the key of the label that opts an object out with the value ``disabled``.
    ``templates`` is whether Pod templates are swapped, or only Pods.
    """

    label: str = DEFAULT_LABEL
    templates: bool = True


class FieldSwap(NamedTuple):
    """An image field of the object and what the rules make of its image."""

    field: ImageField
    swap: Swap


class Decision(NamedTuple):
    """What is done to an object: the fields to change, and what a person should be told."""

    changes: tuple[FieldSwap, ...] = ()
    warnings: tuple[str, ...] = ()


NOTHING = Decision()


class Swapper(Protocol):
    """What swaps one image: an engine, or what remembers what an engine gave."""

    def swap(self, image: str, /) -> Swap:
        """Give what the rules make of an image."""
        ...


def decide(request: Mapping[str, Json], engine: Swapper, policy: Policy) -> Decision:
    """Decide an admission request.

    Takes the ``request`` of an AdmissionReview (admission.k8s.io/v1), the compiled rules and the
    policy. Gives the image fields to change. Leaves alone: objects that opted out, Pod templates
    whose object a controller owns, and, on an update, images that the update does not bring.
    """
    kind, obj = _kind(request), request.get("object")
    part = pod_part(kind, obj)
    if part is None or not isinstance(obj, dict):
        return NOTHING
    if _opted_out(obj, policy) or _opted_out(part.content, policy):
        return NOTHING
    # The owner of a template compares it with its own: a change would make it start another.
    if kind != POD and (not policy.templates or _is_controlled(obj)):
        return NOTHING
    unchanged = _old_images(kind, request)
    changes, warnings = [], []
    for field in images(part):
        if unchanged.get(field.identity) == field.image:
            continue
        swap = engine.swap(field.image)
        if swap.warning:
            warnings.append(f"{field.identity[1]}: {swap.warning}")
        if swap.changed:
            changes.append(FieldSwap(field, swap))
    return Decision(tuple(changes), tuple(warnings))


def _kind(request: Mapping[str, Json]) -> str:
    kind = request.get("kind")
    name = kind.get("kind") if isinstance(kind, dict) else None
    return name if isinstance(name, str) else ""


def _opted_out(holder: Mapping[str, Json], policy: Policy) -> bool:
    metadata = holder.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    return isinstance(labels, dict) and labels.get(policy.label) == LABEL_DISABLED


def _is_controlled(obj: Mapping[str, Json]) -> bool:
    metadata = obj.get("metadata")
    owners = metadata.get("ownerReferences") if isinstance(metadata, dict) else None
    return isinstance(owners, list) and any(
        isinstance(owner, dict) and owner.get("controller") is True for owner in owners
    )


def _old_images(kind: str, request: Mapping[str, Json]) -> dict[tuple[str, str], str]:
    """Give the images that the object had before the update; none where it is created."""
    if request.get("operation") != "UPDATE":
        return {}
    old = pod_part(kind, request.get("oldObject"))
    return {field.identity: field.image for field in images(old)} if old else {}


def keep_sources(decision: Decision, absent: Mapping[str, str]) -> Decision:
    """Take back the swaps whose target is not to be had.

    Takes the targets that are not, each with the reason in words. Gives the decision without these
    swaps, and with a warning for each.
    """
    changes = tuple(change for change in decision.changes if change.swap.target not in absent)
    warnings = tuple(
        f"{change.field.identity[1]}: {change.swap.source} is kept: {absent[change.swap.target]}"
        for change in decision.changes
        if change.swap.target in absent
    )
    return Decision(changes, decision.warnings + warnings)
