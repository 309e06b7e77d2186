"""The webhook as an ASGI application: what each path answers.

Source: the ASGI 3 specification (HTTP), and the Kubernetes contract of admission webhooks.
"""

import json
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from imageswap.admission import review
from imageswap.admission.decision import NOTHING, Decision, Policy, decide
from imageswap.admission.workloads import Json
from imageswap.rules.ruleset import Ruleset

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# etcd takes objects of 1.5 MiB at most; an update carries the old one too.
MAX_BODY_BYTES = 3 * 1024 * 1024

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class _Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    content_type: str = _TEXT
    allow: str = ""


class Application:
    """The ASGI application.

    ``/mutate`` answers admission reviews, ``/healthz`` whether the process lives, ``/readyz``
    whether it should be sent requests, which ends with ``drain()``.
    """

    def __init__(self, ruleset: Ruleset, policy: Policy) -> None:
        self._engine = ruleset.engine
        self._policy = policy
        self._draining = False

    def drain(self) -> None:
        """Answer "not ready" from now on, and end each connection with the answer it gets."""
        self._draining = True

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        answer = await self._route(scope, receive)
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", str(len(answer.body)).encode()),
        ]
        if self._draining:
            headers.append((b"connection", b"close"))
        if answer.allow:
            headers.append((b"allow", answer.allow.encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _route(self, scope: MutableMapping[str, Any], receive: Receive) -> _Answer:
        path, method = scope["path"], scope["method"]
        if path == "/mutate":
            if method != "POST":
                return _Answer(405, f"{path} takes POST, not {method}\n".encode(), allow="POST")
            return await self._mutate(scope, receive)
        if path in ("/healthz", "/readyz"):
            if method not in ("GET", "HEAD"):
                return _Answer(405, f"{path} takes GET, not {method}\n".encode(), allow="GET, HEAD")
            if path == "/readyz" and self._draining:
                return _Answer(503, b"shutting down\n")
            return _Answer(200, b"ok\n")
        return _Answer(404, b"this server has /mutate, /healthz and /readyz\n")

    async def _mutate(self, scope: MutableMapping[str, Any], receive: Receive) -> _Answer:
        content_type = _header(scope, b"content-type")
        if content_type.partition(";")[0].strip().lower() != _JSON:
            return _Answer(
                415, f"/mutate takes `content-type: {_JSON}`, not `{content_type}`\n".encode()
            )
        body = await _read_body(receive)
        if body is None:
            return _Answer(413, f"the body is over {MAX_BODY_BYTES} bytes\n".encode())
        started = time.perf_counter()
        try:
            version, request = review.read(body)
        except review.InvalidReview as error:
            return _Answer(400, f"{error}\n".encode("utf-8", "replace"))
        decision, failure = self._decide(request)
        answered = review.answer(version, request["uid"], decision)
        _log(request, decision, time.perf_counter() - started, failure)
        return _Answer(200, answered, _JSON)

    def _decide(self, request: Json) -> tuple[Decision, str]:
        """Decide; whatever goes wrong must not stop the cluster from making its objects."""
        try:
            return decide(request, self._engine, self._policy), ""
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"
            warning = f"imageswap left the images as they are, for an internal error: {failure}"
            return NOTHING._replace(warnings=(warning,)), failure


def _header(scope: MutableMapping[str, Any], name: bytes) -> str:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""


async def _read_body(receive: Receive) -> bytes | None:
    """Read a request's body; None where it is larger than any AdmissionReview can be."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            return None
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


def _log(request: Json, decision: Decision, seconds: float, failure: str) -> None:
    """Write the one line of an admission."""
    kind = request.get("kind")
    line: dict[str, Json] = {
        "event": "admission",
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
    if decision.warnings:
        line["warnings"] = decision.warnings
    if failure:
        line["error"] = failure
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
