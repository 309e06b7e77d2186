"""What the rules make of the images in manifests, as the webhook would answer for each object."""

import argparse
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from imageswap.admission.decision import DEFAULT_LABEL, LABEL_DISABLED, Policy, decide
from imageswap.admission.workloads import images, pod_part
from imageswap.cli.explain import why_left
from imageswap.cli.manifests import Manifest
from imageswap.rules.engine import Engine, Swap


class ContainerImage(NamedTuple):
    """The image of a container or an image volume.

    ``swap`` is what the rules make of the image, and ``reason`` why it stays, or "". Where the
    webhook leaves the whole object alone, it stays whatever the rules make of it.
    """

    field: str
    name: str
    swap: Swap
    reason: str

    @property
    def changed(self) -> bool:
        """Whether the webhook would change the image."""
        return not self.reason

    @property
    def left_with_object(self) -> bool:
        """Whether the rules would change the image, and the webhook leaves the whole object."""
        return self.swap.changed and not self.changed

    @property
    def target(self) -> str:
        """The image that the object would have."""
        return self.swap.target if self.changed else self.swap.source

    @property
    def label(self) -> str:
        """The container's name, with the field's where that is not plainly ``containers``."""
        return self.name if self.field == "containers" else f"{self.field}/{self.name}"


class Workload(NamedTuple):
    """An object that holds images. ``namespace`` and ``name`` are "" where it gives none."""

    manifest: Manifest
    kind: str
    namespace: str
    name: str
    images: tuple[ContainerImage, ...]

    def __str__(self) -> str:
        """``KIND NAMESPACE/NAME``."""
        return (
            f"{self.kind} {self.namespace}/{self.name}"
            if self.namespace
            else (f"{self.kind} {self.name}")
        )


def add_label_argument(parser: argparse.ArgumentParser) -> None:
    """Declare ``--label`` on a parser, as the webhook has it."""
    parser.add_argument(
        "--label",
        default=DEFAULT_LABEL,
        metavar="KEY",
        help=f"the label that opts an object out with the value `{LABEL_DISABLED}` (%(default)s)",
    )


def examine(manifests: Iterable[Manifest], engine: Engine, policy: Policy) -> Iterator[Workload]:
    """Swap the images of each object that holds any."""
    for manifest in manifests:
        found = _images(manifest.content, engine, policy)
        if found:
            yield Workload(manifest, *_identity(manifest.content), found)


def _images(content: Any, engine: Engine, policy: Policy) -> tuple[ContainerImage, ...]:
    kind = content["kind"]
    part = pod_part(kind, content)
    if part is None:
        return ()
    request = {"kind": {"kind": kind}, "operation": "CREATE", "object": content}
    changes = {change.field.pointer for change in decide(request, engine, policy).changes}
    found = []
    for field in images(part):
        swap = engine.swap(field.image)
        reason = why_left(engine, swap)
        if swap.changed and field.pointer not in changes:
            reason = f"the label {policy.label} opts it out, or a controller owns the object"
        found.append(ContainerImage(*field.identity, swap, reason))
    return tuple(found)


def _identity(content: Any) -> tuple[str, str, str]:
    metadata = content.get("metadata")
    if not isinstance(metadata, dict):
        return content["kind"], "", ""
    name = metadata.get("name") or f"{metadata.get('generateName') or ''}*"
    return content["kind"], str(metadata.get("namespace") or ""), str(name)
