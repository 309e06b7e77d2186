"""The webhook as an ASGI application: what each path answers.

Source: the ASGI 3 specification (HTTP), and the Kubernetes contract of admission webhooks.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from imageswap.admission import review
from imageswap.admission.decision import NOTHING, Decision, Policy, decide, keep_sources
from imageswap.admission.patch import Operation, image_operations, source_operations
from imageswap.admission.workloads import Json
from imageswap.registry.checker import Checker
from imageswap.registry.verdict import Outcome, Verdict
from imageswap.rules.engine import Engine, Swap
from imageswap.rules.ruleset import Ruleset
from imageswap.server import log
from imageswap.server.http import TEXT, Answer, Receive, Scope, Send, header, read_body, respond
from imageswap.server.metrics import Metrics

# etcd takes objects of 1.5 MiB at most; an update carries the old one too.
MAX_BODY_BYTES = 3 * 1024 * 1024

_JSON = "application/json"
# A cluster asks for the same images again and again; in all some megabytes at most.
_REMEMBERED_SWAPS = 4096
_REMEMBERED_LENGTH = 512


@dataclass(frozen=True, slots=True)
class Mode:
    """What is done with a decision.

    ``audit`` decides, logs, counts and warns, and changes nothing. ``record_source`` keeps the
    source images in an annotation of the object.
    """

    audit: bool = False
    record_source: bool = False


class _Remembering:
    """An engine that remembers what it gave: the rules do not change, so neither does a swap."""

    def __init__(self, engine: Engine) -> None:
        self._forgetting = engine.swap
        self._remembering = lru_cache(_REMEMBERED_SWAPS)(engine.swap)

    def swap(self, image: str, /) -> Swap:
        """Swap one image; a text too long for a name is not kept."""
        if len(image) > _REMEMBERED_LENGTH:
            return self._forgetting(image)
        return self._remembering(image)


class Application:
    """The ASGI application.

    ``/mutate`` answers admission reviews, ``/healthz`` whether the process lives, ``/readyz``
    whether it should be sent requests: with a valid certificate, until ``drain()``.
    """

    def __init__(
        self,
        ruleset: Ruleset,
        policy: Policy,
        mode: Mode,
        metrics: Metrics,
        checker: Checker | None = None,
    ) -> None:
        """Answer by rules and a policy; with a checker, keep sources whose target is missing."""
        self._checker = checker
        self._policy = policy
        self._mode = mode
        self._metrics = metrics
        self._draining = False
        self._expiry = datetime.max.replace(tzinfo=UTC)
        self.use_rules(ruleset)

    def use_rules(self, ruleset: Ruleset) -> None:
        """Answer with these rules from now on."""
        self._engine = _Remembering(ruleset.engine)
        self._metrics.rules_loaded(ruleset)

    def use_certificate_until(self, expiry: datetime) -> None:
        """Be ready only until the certificate expires."""
        self._expiry = expiry
        self._metrics.certificate_loaded(expiry.timestamp())

    def drain(self) -> None:
        """Answer "not ready" from now on, and end each connection with the answer it gets."""
        self._draining = True

    async def close(self) -> None:
        """Ask no registry any more; for after the last answer."""
        if self._checker is not None:
            await self._checker.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] == "http":
            await respond(await self._route(scope, receive), send, close=self._draining)

    async def _route(self, scope: Scope, receive: Receive) -> Answer:
        path, method = scope["path"], scope["method"]
        if path == "/mutate":
            answer = await self._mutate(scope, receive)
            if answer.status != 200:
                self._metrics.refused(answer.status)
            return answer
        if path not in ("/healthz", "/readyz"):
            return Answer(404, b"this server has /mutate, /healthz and /readyz\n")
        if method not in ("GET", "HEAD"):
            return Answer(405, f"{path} takes GET, not {method}\n".encode(), allow="GET, HEAD")
        problem = self._not_ready() if path == "/readyz" else ""
        return Answer(503, f"{problem}\n".encode()) if problem else Answer(200, b"ok\n")

    def _not_ready(self) -> str:
        if self._draining:
            return "shutting down"
        if datetime.now(UTC) >= self._expiry:
            return f"the certificate expired at {self._expiry:%Y-%m-%d %H:%M:%S} UTC"
        return ""

    async def _mutate(self, scope: Scope, receive: Receive) -> Answer:
        if scope["method"] != "POST":
            text = f"/mutate takes POST, not {scope['method']}\n"
            return Answer(405, text.encode(), allow="POST")
        content_type = header(scope, b"content-type")
        if content_type.partition(";")[0].strip().lower() != _JSON:
            text = f"/mutate takes `content-type: {_JSON}`, not `{content_type}`\n"
            return Answer(415, text.encode())
        body = await read_body(receive, MAX_BODY_BYTES)
        if body is None:
            return Answer(413, f"the body is over {MAX_BODY_BYTES} bytes\n".encode())
        started = time.perf_counter()
        try:
            version, request = review.read(body)
        except review.InvalidReview as error:
            return Answer(400, f"{error}\n".encode("utf-8", "replace"), TEXT)
        try:
            decision, unchecked = await self._decide(request)
            answer, outcome, warnings = self._review(version, request, decision)
        except Exception as error:
            # Whatever goes wrong here must not stop the cluster from making its objects.
            decision, outcome, unchecked = NOTHING, "error", {}
            failure = f"an internal error: {type(error).__name__}: {error}"
            warnings = [f"imageswap left the images as they are, for {failure}"]
            answer = review.answer(version, request["uid"], (), warnings, {})
        seconds = time.perf_counter() - started
        self._count(request, decision, outcome, seconds)
        log.admission(request, decision, outcome, seconds, warnings, unchecked)
        return Answer(200, answer, _JSON)

    async def _decide(self, request: Mapping[str, Json]) -> tuple[Decision, dict[str, str]]:
        """Decide; gives also the targets that are swapped to unseen, each with the reason."""
        decision = decide(request, self._engine, self._policy)
        if self._checker is None or not decision.changes:
            return decision, {}
        verdicts = await self._checker.check([change.swap.target for change in decision.changes])
        self._metrics.checked(verdicts)
        return (
            keep_sources(decision, _texts(verdicts, Outcome.MISSING)),
            _texts(verdicts, Outcome.DENIED),
        )

    def _review(
        self, version: str, request: Mapping[str, Json], decision: Decision
    ) -> tuple[bytes, str, list[str]]:
        """Give the answer, the outcome and the warnings of a decision."""
        warnings = list(decision.warnings)
        uid = request["uid"]
        if not decision.changes:
            return review.answer(version, uid, (), warnings, {}), "unchanged", warnings
        text = review.audit_text(decision)
        if self._mode.audit:
            warnings += [
                f"{change.field.identity[1]}: imageswap audits only: {change.swap.source} would "
                f"become {change.swap.target}"
                for change in decision.changes
            ]
            answer = review.answer(version, uid, (), warnings, {"would-swap": text})
            return answer, "audited", warnings
        patch = image_operations(decision) + self._record(request, decision)
        answer = review.answer(version, uid, patch, warnings, {"swapped": text})
        return answer, "swapped", warnings

    def _record(self, request: Mapping[str, Json], decision: Decision) -> list[Operation]:
        # A subresource takes its own field only, and drops annotations.
        if not self._mode.record_source or request.get("subResource"):
            return []
        return source_operations(decision, request["object"])

    def _count(
        self, request: Mapping[str, Json], decision: Decision, outcome: str, seconds: float
    ) -> None:
        kind = request.get("kind")
        name = kind.get("kind") if isinstance(kind, dict) else ""
        self._metrics.admission(str(name), outcome, seconds)
        for change in decision.changes:
            self._metrics.swapped(change.swap.steps)


def _texts(verdicts: Mapping[str, Verdict], outcome: Outcome) -> dict[str, str]:
    return {image: v.text for image, v in verdicts.items() if v.outcome is outcome}
