"""Runs the webhook on uvicorn: TLS, signals and shutdown."""

import asyncio
import contextlib
import signal
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from imageswap.server.app import Application

# The API server's own idle connections end after 90 s. It must be the one that closes: a request
# sent on a connection that the server closes at that moment fails.
_KEEP_ALIVE_SECONDS = 120
# A connection in use ends with its next answer. One that had none for so long is taken for idle:
# left open, it would be answered by this server when others have newer rules already.
_IDLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Listener:
    """Where and how to listen.

    ``drain`` is how many seconds to go on answering after SIGTERM while not ready, so that clients
    go elsewhere before the port closes.
    """

    host: str
    port: int
    certificate: Path
    key: Path
    drain: float


class CannotServe(Exception):
    """Says in words why the server cannot start."""


def serve(application: Application, listener: Listener) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is in flight and return.

    Raises:
        CannotServe: where the certificate cannot be used or the port cannot be listened on.
    """
    config = uvicorn.Config(
        application,
        host=listener.host,
        port=listener.port,
        ssl_certfile=listener.certificate,
        ssl_keyfile=listener.key,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        lifespan="off",
        interface="asgi3",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise CannotServe(
            f"the certificate {listener.certificate} with the key {listener.key} cannot be used: "
            f"{error}"
        ) from None
    server = _Server(config, application, listener.drain)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        try:
            runner.run(server.serve())
        except SystemExit:
            # uvicorn exits so where it cannot listen; it has logged the reason.
            raise CannotServe(f"cannot listen on {listener.host} port {listener.port}") from None


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
