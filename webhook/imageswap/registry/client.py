"""One HTTP/1.1 request at a time over a connection of its own.

Source: RFC 9112 by way of h11; for trying the addresses of a name, RFC 8305.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Any, NamedTuple

import h11

from imageswap import __version__
from imageswap.registry.url import Url
from imageswap.registry.verdict import BrokenAnswer

_MAX_HEADER_BYTES = 32 * 1024
_MAX_ANSWER_BYTES = 512 * 1024
_CHUNK_BYTES = 16 * 1024
# RFC 8305, section 5: how long to wait for one address before the next is tried.
_ATTEMPT_SECONDS = 0.25
_MAX_ATTEMPTS = 4
_USER_AGENT = f"imageswap/{__version__}"

Header = tuple[str, str]


class Answer(NamedTuple):
    """A final answer; ``body`` is read of a 200 to a GET only. Header names are in lower case."""

    status: int
    headers: Sequence[Header]
    body: bytes

    def header(self, name: str) -> str:
        """Give the first value of a header, or ""."""
        return next(iter(self.header_values(name)), "")

    def header_values(self, name: str) -> list[str]:
        """Give all values of a header."""
        return [value for key, value in self.headers if key == name]


class _Address(NamedTuple):
    family: int
    sockaddr: Any


class Client:
    """Sends requests; bounds what it reads, and leaves the time to its caller.

    To cancel a request closes its connection. A lookup of a name cannot be cancelled, since it runs
    in a thread of the loop: there is one a name at a time, which all requests share.
    """

    def __init__(self) -> None:
        self._lookups: dict[tuple[str, int], asyncio.Task[list[_Address]]] = {}

    async def request(
        self, method: str, url: Url, headers: Sequence[Header], tls: ssl.SSLContext
    ) -> Answer:
        """Send a request without a body.

        Takes the method, the URL, headers besides Host, and what to speak TLS with where the URL is
        ``https``; gives the answer, whatever its status. Follows no redirect.

        Raises:
            OSError: where there is no connection, so ``ssl.SSLError`` and ``socket.gaierror``.
            UnicodeError: where the host cannot be a host name.
            BrokenAnswer: where what comes is not an answer, or too much of one.
        """
        connected = await self._connect(url)
        is_tls = url.scheme == "https"
        # The transport owns the socket from here, and closes it where TLS fails.
        reader, writer = await asyncio.open_connection(
            sock=connected,
            ssl=tls if is_tls else None,
            server_hostname=url.host if is_tls else None,
        )
        try:
            return await _exchange(method, url, headers, reader, writer)
        finally:
            # Not `close`: a peer that does not end TLS in order would keep the socket for long.
            writer.transport.abort()

    async def aclose(self) -> None:
        """Give up the lookups that are under way."""
        lookups = list(self._lookups.values())
        for lookup in lookups:
            lookup.cancel()
        await asyncio.gather(*lookups, return_exceptions=True)

    async def _connect(self, url: Url) -> socket.socket:
        *addresses, last = await self._resolve(url.host, url.port)
        for address in addresses:
            try:
                async with asyncio.timeout(_ATTEMPT_SECONDS):
                    return await _connected(address)
            except OSError:
                continue
        return await _connected(last)

    async def _resolve(self, host: str, port: int) -> list[_Address]:
        literal = _literal(host, port)
        if literal:
            return [literal]
        lookup = self._lookups.get((host, port))
        if lookup is None:
            lookup = self._lookups[host, port] = asyncio.create_task(_lookup(host, port))
            lookup.add_done_callback(lambda done: self._looked_up((host, port), done))
        return await asyncio.shield(lookup)

    def _looked_up(self, key: tuple[str, int], done: "asyncio.Task[list[_Address]]") -> None:
        del self._lookups[key]
        if not done.cancelled():
            # Seen here, for whoever asked may have gone.
            done.exception()


def _literal(host: str, port: int) -> _Address | None:
    """Give the address that an IP address in place of a name is: no thread is needed for it."""
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        return None
    return _Address(socket.AF_INET if version == 4 else socket.AF_INET6, (host, port))


async def _lookup(host: str, port: int) -> list[_Address]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [_Address(family, sockaddr) for family, _, _, _, sockaddr in found]
    if not addresses:
        raise socket.gaierror(socket.EAI_NONAME, "no address")
    # One family may lead nowhere: it must not use up the attempts (RFC 8305, section 4).
    families = [
        [a for a in addresses if a.family == f] for f in dict.fromkeys(f for f, _ in addresses)
    ]
    return [a for a in chain.from_iterable(zip_longest(*families)) if a][:_MAX_ATTEMPTS]


async def _connected(address: _Address) -> socket.socket:
    connecting = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        connecting.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connecting, address.sockaddr)
    except BaseException:
        connecting.close()
        raise
    return connecting


async def _exchange(
    method: str,
    url: Url,
    headers: Sequence[Header],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> Answer:
    """Send a request, and read its answer: no more of it than is needed."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEADER_BYTES)
    own = [("host", url.authority), ("user-agent", _USER_AGENT), ("connection", "close")]
    request = h11.Request(method=method, target=url.target, headers=[*own, *headers])
    for part in (request, h11.EndOfMessage()):
        writer.write(connection.send(part) or b"")
    response: h11.Response | None = None
    body = bytearray()
    received = 0
    while True:
        event = _next_event(connection)
        if event is h11.NEED_DATA:
            data = await reader.read(_CHUNK_BYTES)
            received += len(data)
            if received > _MAX_ANSWER_BYTES:
                raise BrokenAnswer(f"its answer is over {_MAX_ANSWER_BYTES} bytes")
            if not data and response is None:
                raise BrokenAnswer("it closed the connection without an answer")
            connection.receive_data(data)
        elif isinstance(event, h11.Response):
            response = event
            if event.status_code != 200:
                return _final(event, b"")
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and response:
            return _final(response, bytes(body))
        elif not isinstance(event, h11.InformationalResponse):
            raise BrokenAnswer("its answer is not HTTP")


def _next_event(connection: h11.Connection) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
    try:
        return connection.next_event()
    except h11.RemoteProtocolError as error:
        if error.error_status_hint == 431:
            raise BrokenAnswer(f"its headers are over {_MAX_HEADER_BYTES} bytes") from None
        raise BrokenAnswer("its answer is not HTTP") from None


def _final(response: h11.Response, body: bytes) -> Answer:
    headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in response.headers]
    return Answer(response.status_code, headers, body)
