"""Reads AdmissionReview requests and writes their answers.

Source: the ``admission.k8s.io/v1`` API.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from imageswap.admission import codec
from imageswap.admission.decision import Decision
from imageswap.admission.patch import Operation
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
        review = codec.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidReview(f"the body is not JSON: {error}") from None
    if not isinstance(review, dict) or review.get("kind") != "AdmissionReview":
        raise InvalidReview("the body is JSON, but its `kind` is not `AdmissionReview`")
    version = review.get("apiVersion")
    if version not in _API_VERSIONS:
        raise InvalidReview(f"`apiVersion` is {version!r}, not one of {', '.join(_API_VERSIONS)}")
    request = review.get("request")
    if not isinstance(request, dict) or not isinstance(request.get("uid"), str):
        raise InvalidReview("the AdmissionReview holds no `request` with a `uid`")
    return version, request


def answer(
    version: str,
    uid: str,
    patch: Sequence[Operation],
    warnings: Sequence[str],
    audit: Mapping[str, str],
) -> bytes:
    """Write the answer: always allowed.

    Takes the JSON Patch, what `kubectl` is to print, and the annotations of the API server's audit
    event; each may be empty.
    """
    response: dict[str, Any] = {"uid": uid, "allowed": True}
    if patch:
        response["patchType"] = "JSONPatch"
        response["patch"] = base64.b64encode(codec.dumps(patch)).decode()
    if audit:
        response["auditAnnotations"] = audit
    if warnings:
        response["warnings"] = warnings
    return codec.dumps({"apiVersion": version, "kind": "AdmissionReview", "response": response})


def audit_text(decision: Decision) -> str:
    """Say what was swapped by which rule, in the room that an audit annotation has."""
    text = "; ".join(
        f"{change.swap.source} → {change.swap.target} "
        f"({', '.join(str(step.rule.origin) for step in change.swap.steps)})"
        for change in decision.changes
    )
    return text if len(text) <= _MAX_AUDIT_TEXT else text[: _MAX_AUDIT_TEXT - 1] + "…"
