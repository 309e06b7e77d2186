"""Servers on loopback that answer as a test tells them, and what is run against them."""

import asyncio
import base64
import contextlib
import gc
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from imageswap.registry import credentials
from imageswap.registry.checker import Checker
from imageswap.registry.credentials import Keyring
from imageswap.registry.settings import RegistrySettings
from imageswap.registry.verdict import Verdict

Result = TypeVar("Result")

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
PLAIN = RegistrySettings(scheme="http")
_SETTLED_SECONDS = 1.0


class Request(NamedTuple):
    """A request as a server got it; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]


Handler = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


class Scripted:
    """A server, and what it was asked."""

    def __init__(self, handler: Handler, port: int) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.port = port
        self.handler = handler

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def other_address(self) -> str:
        """The same server by another name, and so of another origin."""
        return f"localhost:{self.port}"


@contextlib.asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Scripted]:
    """Serve on a free port; at the end, close whatever is open."""
    writers: set[asyncio.StreamWriter] = set()
    tasks: set[asyncio.Task[Any]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        writers.add(writer)
        scripted.connections += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            request = _parse(await reader.readuntil(b"\r\n\r\n"))
            scripted.requests.append(request)
            await scripted.handler(request, writer)
        writer.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    scripted = Scripted(handler, server.sockets[0].getsockname()[1])
    try:
        yield scripted
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


def _parse(head: bytes) -> Request:
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines if line)
    return Request(method, target, {name.lower(): value.strip() for name, _, value in pairs})


def response(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    fields = {"content-length": str(len(body)), **(headers or {})}
    lines = [f"HTTP/1.1 {status} -", *(f"{name}: {value}" for name, value in fields.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def always(answer: bytes) -> Handler:
    """Give the same bytes to every request, and end the connection."""

    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return handler


def routed(route: Callable[[Request], bytes]) -> Handler:
    """Give what a function makes of the request."""

    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(route(request))
        await writer.drain()

    return handler


async def never(request: Request, writer: asyncio.StreamWriter) -> None:
    """Give nothing, for longer than any test."""
    await asyncio.sleep(60)


FOUND = response(200, {"content-type": MANIFEST_TYPE, "content-length": "500"})


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Told:
    """An observer that writes down what it is told."""

    def __init__(self) -> None:
        self.asked_of: list[tuple[str, Verdict, float]] = []
        self.recalled_of: list[tuple[str, Verdict]] = []
        self.paused_of: list[tuple[str, Verdict]] = []

    def asked(self, registry: str, verdict: Verdict, seconds: float) -> None:
        self.asked_of.append((registry, verdict, seconds))

    def recalled(self, registry: str, verdict: Verdict) -> None:
        self.recalled_of.append((registry, verdict))

    def paused(self, registry: str, verdict: Verdict) -> None:
        self.paused_of.append((registry, verdict))


async def verdict(checker: Checker, image: str) -> Verdict:
    """Check one image."""
    return (await checker.check([image]))[image]


def keyring(registry: str, pair: str) -> Keyring:
    """Make a keyring with a registry's `user:password`; an empty one where that is empty."""
    auth = {"auth": base64.b64encode(pair.encode()).decode()} if pair else {}
    return credentials.read(json.dumps({"auths": {registry: auth}}))


def answered(
    handler: Handler,
    name: str = "team/app:1",
    pair: str = "",
    settings: RegistrySettings = PLAIN,
    tls: ssl.SSLContext | None = None,
) -> tuple[Verdict, list[Request]]:
    """Check one image of one server."""

    async def scenario() -> tuple[Verdict, list[Request]]:
        async with serving(handler, tls) as server:
            checker = Checker({server.address: settings}, keyring(server.address, pair))
            found = await verdict(checker, f"{server.address}/{name}")
            await checker.aclose()
            return found, server.requests

    return run(scenario)


def run(scenario: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run a scenario, and make sure that it leaves no task and no open file behind."""

    async def watched() -> Result:
        loop = asyncio.get_running_loop()
        complaints: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        # Its threads are the loop's own, and stay.
        await loop.run_in_executor(None, int)
        before = _open_files()
        result = await scenario()
        deadline = time.monotonic() + _SETTLED_SECONDS
        while _open_files() != before and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        assert _open_files() == before
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert complaints == []
        return result

    # What only the collector would close is left behind.
    gc.disable()
    try:
        return asyncio.run(watched())
    finally:
        gc.enable()


def _open_files() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir() if _is_open(entry)}


def _is_open(entry: Path) -> bool:
    try:
        return bool(entry.readlink())
    except FileNotFoundError:
        return False
