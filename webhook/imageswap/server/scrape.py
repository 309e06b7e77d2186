"""The application that Prometheus scrapes: ``/metrics``, in plain HTTP on a port of its own."""

from imageswap.server.http import Answer, Receive, Scope, Send, respond
from imageswap.server.metrics import CONTENT_TYPE, Metrics


class ScrapeApplication:
    """The ASGI application of the metrics port."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] == "http":
            await respond(self._answer(scope["path"], scope["method"]), send)

    def _answer(self, path: str, method: str) -> Answer:
        if path != "/metrics":
            return Answer(404, b"this port has /metrics\n")
        if method not in ("GET", "HEAD"):
            return Answer(405, f"{path} takes GET, not {method}\n".encode(), allow="GET, HEAD")
        return Answer(200, self._metrics.render(), CONTENT_TYPE)
