"""Runs the webhook on uvicorn: TLS, changed files, signals and shutdown."""

import asyncio
import contextlib
import gc
import signal
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

import uvicorn

from imageswap.rules.ruleset import Ruleset
from imageswap.server import certificate, log
from imageswap.server.app import Application
from imageswap.server.metrics import Metrics
from imageswap.server.scrape import ScrapeApplication
from imageswap.server.watch import watch

# The API server's own idle connections end after 90 s. It must be the one that closes: a request
# sent on a connection that the server closes at that moment fails.
_KEEP_ALIVE_SECONDS = 120
# A connection in use ends with its next answer. One that had none for so long is taken for idle:
# left open, it would be answered by this server when others have newer rules already.
_IDLE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Listener:
    """Where and how to listen.

    ``metrics_port`` is the port of ``/metrics``, 0 for none. ``drain`` is how many seconds to go on
    answering after SIGTERM while not ready, so that clients go elsewhere before the port closes.
    """

    host: str
    port: int
    metrics_port: int
    certificate: Path
    key: Path
    drain: float


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """The files of the rules and how they are loaded: None where they have errors."""

    files: Sequence[Path]
    load: Callable[[], Ruleset | None]


class CannotServe(Exception):
    """Says in words why the server cannot start."""


def serve(application: Application, metrics: Metrics, listener: Listener, rules: RuleFiles) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is in flight and return.

    Changed files are taken up without dropping a connection; where they cannot be used the last
    good ones stay in use, which is logged and counted.

    Raises:
        CannotServe: where the certificate cannot be used or a port cannot be listened on.
    """
    config = _config(
        application,
        listener.host,
        listener.port,
        ssl_certfile=listener.certificate,
        ssl_keyfile=listener.key,
    )
    try:
        config.load()
        config.http_protocol_class = _without_orphans(config.http_protocol_class)
        application.use_certificate_until(_expiry(listener.certificate))
    except (OSError, ValueError) as error:
        raise CannotServe(_unusable(listener, error)) from None
    main = _Server(config, application, listener.drain)
    scrape = _Companion(_config(ScrapeApplication(metrics), listener.host, listener.metrics_port))

    def reload_certificate() -> None:
        try:
            # Tried on another context first: one that fails to load a pair has lost its own.
            expiry = _expiry(listener.certificate)
            trial = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            for context in (trial, cast(ssl.SSLContext, config.ssl)):
                context.load_cert_chain(listener.certificate, listener.key)
        except (OSError, ValueError) as error:
            metrics.reload_failed("certificate")
            log.event("certificate-kept", {"error": _unusable(listener, error)})
            return
        application.use_certificate_until(expiry)
        log.event("certificate-loaded", {"expires": expiry.isoformat()})

    def reload_rules() -> None:
        ruleset = rules.load()
        if ruleset is None:
            metrics.reload_failed("rules")
            log.event("rules-kept", {"error": "the changed rules have errors"})
            return
        application.use_rules(ruleset)
        log.event("rules-loaded", {"hash": ruleset.digest, "rules": len(ruleset.engine.rules)})

    # What is there now stays: the collector need not look at it again and again.
    gc.collect()
    gc.freeze()

    async def run() -> None:
        tasks = [
            asyncio.create_task(watch((listener.certificate, listener.key), reload_certificate)),
            asyncio.create_task(watch(rules.files, reload_rules)),
        ]
        if listener.metrics_port:
            tasks.append(asyncio.create_task(scrape.serve()))
        try:
            await main.serve()
        finally:
            await application.close()
            scrape.should_exit = True
            for task in tasks[:2]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        try:
            runner.run(run())
        except SystemExit:
            # uvicorn exits so where it cannot listen; it has logged the reason.
            raise CannotServe(f"cannot listen on {listener.host} port {listener.port}") from None


def _without_orphans(protocol: type[asyncio.Protocol]) -> type[asyncio.Protocol]:
    """Give uvicorn's protocol, with connections that leave nothing when they break.

    uvicorn ends the keep-alive timer of a connection that is closed, but not of one that is reset;
    the timer keeps the connection, with 256 KiB of TLS buffer, until it fires.
    """

    class Protocol(protocol):  # type: ignore[misc, valid-type]
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._unset_keepalive_if_required()

    return Protocol


class _Server(uvicorn.Server):
    """uvicorn, with a shutdown that takes clients away before it takes the port away."""

    def __init__(self, config: uvicorn.Config, application: Application, drain: float) -> None:
        super().__init__(config)
        self._application = application
        self._drain = drain

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Shut down on SIGTERM and SIGINT, and then exit 0 rather than by the signal."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, loop)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def _stop(self, loop: asyncio.AbstractEventLoop) -> None:
        self._application.drain()
        loop.call_later(min(_IDLE_SECONDS, self._drain), self._close_idle)
        loop.call_later(self._drain, self._exit)

    def _close_idle(self) -> None:
        for connection in list(self.server_state.connections):
            connection.shutdown()

    def _exit(self) -> None:
        self.should_exit = True


class _Companion(uvicorn.Server):
    """uvicorn on a second port, which ends when the first does."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the main server."""
        yield


def _config(
    application: Application | ScrapeApplication,
    host: str,
    port: int,
    *,
    ssl_certfile: Path | None = None,
    ssl_keyfile: Path | None = None,
) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        host=host,
        port=port,
        ssl_certfile=ssl_certfile,
        ssl_keyfile=ssl_keyfile,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        lifespan="off",
        interface="asgi3",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
    )


def _expiry(file: Path) -> datetime:
    return certificate.expiry(file.read_text("ascii", "replace"))


def _unusable(listener: Listener, error: Exception) -> str:
    return (
        f"the certificate {listener.certificate} with the key {listener.key} "
        f"cannot be used: {error}"
    )
