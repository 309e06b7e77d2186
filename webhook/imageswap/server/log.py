"""The webhook's log: one JSON object a line on standard output."""

import sys
from collections.abc import Mapping, Sequence

from imageswap.admission import codec
from imageswap.admission.decision import Decision
from imageswap.admission.workloads import Json


def event(name: str, fields: Mapping[str, Json]) -> None:
    """Write one line."""
    line = codec.dumps({"event": name, **fields})
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def admission(
    request: Mapping[str, Json],
    decision: Decision,
    outcome: str,
    seconds: float,
    warnings: Sequence[str],
    unchecked: Mapping[str, str],
) -> None:
    """Write the line of one admission; its time is in milliseconds.

    ``unchecked`` are the targets that were swapped to although their registry would not show them.
    """
    kind = request.get("kind")
    fields: dict[str, Json] = {
        "outcome": outcome,
        "uid": request["uid"],
        "operation": request.get("operation"),
        "kind": kind.get("kind") if isinstance(kind, dict) else None,
        "namespace": request.get("namespace"),
        "name": request.get("name"),
        "swaps": [
            {
                "source": change.swap.source,
                "target": change.swap.target,
                "rules": [str(step.rule.origin) for step in change.swap.steps],
            }
            for change in decision.changes
        ],
        "milliseconds": round(seconds * 1000, 3),
    }
    if warnings:
        fields["warnings"] = warnings
    if unchecked:
        fields["unchecked"] = unchecked
    event("admission", fields)
