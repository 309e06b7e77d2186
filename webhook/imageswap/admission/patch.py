"""Writes a decision as a JSON Patch that touches the image fields and nothing else.

Source: RFC 6902 (JSON Patch) and RFC 6901 (JSON Pointer).
"""

import json
from collections.abc import Mapping
from typing import Any

from imageswap.admission.decision import Decision
from imageswap.admission.workloads import VOLUMES, ImageField, Json

SOURCES_ANNOTATION = "imageswap.io/source-images"

Operation = dict[str, Any]


def image_operations(decision: Decision) -> list[Operation]:
    """Give one ``replace`` for each image field that changes."""
    return [
        {"op": "replace", "path": change.field.pointer, "value": change.swap.target}
        for change in decision.changes
    ]


def source_operations(decision: Decision, obj: Mapping[str, Json]) -> list[Operation]:
    """Give what records the source images in one annotation of the object.

    The annotation is JSON of container name to source image; an image volume's name has
    ``volumes/`` before it. What an earlier admission recorded stays.
    """
    if not decision.changes:
        return []
    metadata = obj.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    sources = _recorded(annotations)
    sources.update({_label(change.field): change.swap.source for change in decision.changes})
    value = json.dumps(sources, separators=(",", ":"), sort_keys=True)
    if not isinstance(metadata, dict):
        return [
            {
                "op": "add",
                "path": "/metadata",
                "value": {"annotations": {SOURCES_ANNOTATION: value}},
            }
        ]
    if not isinstance(annotations, dict):
        return [
            {"op": "add", "path": "/metadata/annotations", "value": {SOURCES_ANNOTATION: value}}
        ]
    pointer = SOURCES_ANNOTATION.replace("/", "~1")
    return [{"op": "add", "path": f"/metadata/annotations/{pointer}", "value": value}]


def _recorded(annotations: Json) -> dict[str, Json]:
    text = annotations.get(SOURCES_ANNOTATION) if isinstance(annotations, dict) else None
    try:
        recorded = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    return recorded if isinstance(recorded, dict) else {}


def _label(field: ImageField) -> str:
    holder, name = field.identity
    return f"{holder}/{name}" if holder == VOLUMES else name
