"""Reads AdmissionReview requests and writes their answers.

Source: the ``admission.k8s.io/v1`` API; the patch is a JSON Patch (RFC 6902).
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from imageswap.admission.decision import Decision
from imageswap.admission.workloads import Json

_API_VERSIONS = ("admission.k8s.io/v1", "admission.k8s.io/v1beta1")
_MAX_AUDIT_TEXT = 8 * 1024


class InvalidReview(ValueError):
    """Says in words why a body is not an AdmissionReview request."""


def read(body: bytes) -> tuple[str, Mapping[str, Json]]:
    """Read a request.

    Takes the body of an HTTP request; gives the ``apiVersion`` to answer with, and the ``request``.

    Raises:
        InvalidReview: where the body is not an AdmissionReview with a request.
    """
    try:
        review = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidReview(f"the body is not JSON: {error}") from None
    if not isinstance(review, Mapping) or review.get("kind") != "AdmissionReview":
        raise InvalidReview("the body is JSON, but its `kind` is not `AdmissionReview`")
    version = review.get("apiVersion")
    if version not in _API_VERSIONS:
        raise InvalidReview(f"`apiVersion` is {version!r}, not one of {', '.join(_API_VERSIONS)}")
    request = review.get("request")
    if not isinstance(request, Mapping) or not isinstance(request.get("uid"), str):
        raise InvalidReview("the AdmissionReview holds no `request` with a `uid`")
    return version, request


def answer(version: str, uid: str, decision: Decision) -> bytes:
    """Write the answer: always allowed, with a patch where there is something to change."""
    response: dict[str, Any] = {"uid": uid, "allowed": True}
    if decision.changes:
        patch = [
            {"op": "replace", "path": change.field.pointer, "value": change.swap.target}
            for change in decision.changes
        ]
        response["patchType"] = "JSONPatch"
        response["patch"] = base64.b64encode(_dump(patch)).decode()
        response["auditAnnotations"] = {"swapped": _audit_text(decision)}
    if decision.warnings:
        response["warnings"] = list(decision.warnings)
    return _dump({"apiVersion": version, "kind": "AdmissionReview", "response": response})


def _audit_text(decision: Decision) -> str:
    """Say what was swapped by which rule, in the room that an annotation has."""
    text = "; ".join(
        f"{change.swap.source} → {change.swap.target} "
        f"({', '.join(str(step.rule.origin) for step in change.swap.steps)})"
        for change in decision.changes
    )
    return text if len(text) <= _MAX_AUDIT_TEXT else text[: _MAX_AUDIT_TEXT - 1] + "…"


def _dump(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
