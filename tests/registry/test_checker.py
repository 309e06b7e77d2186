"""What each behaviour of a registry means for an image, over real connections."""

import asyncio
import socket
import struct
import time

import pytest

from imageswap.registry.checker import Checker
from imageswap.registry.manifest import ACCEPT
from imageswap.registry.settings import Limits
from imageswap.registry.verdict import Outcome, Reason, Verdict
from tests.registry.scripted import (
    FOUND,
    PLAIN,
    Handler,
    Request,
    always,
    answered,
    never,
    response,
    routed,
    run,
    serving,
    verdict,
)

pytestmark = pytest.mark.filterwarnings("error")

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("team/app:1", "team/app/manifests/1"),
        ("app", "app/manifests/latest"),
        (f"app:1@{DIGEST}", f"app/manifests/{DIGEST}"),
    ],
)
def test_what_is_asked(name: str, path: str) -> None:
    found, (request,) = answered(always(FOUND), name)
    assert found.outcome is Outcome.FOUND
    assert (request.method, request.target) == ("HEAD", f"/v2/{path}")
    assert request.headers["accept"] == ACCEPT
    assert request.headers["user-agent"].startswith("imageswap/")
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    ("answer", "reason", "outcome"),
    [
        (FOUND, Reason.FOUND, Outcome.FOUND),
        (b"HTTP/1.0 200 OK\r\n\r\n", Reason.FOUND, Outcome.FOUND),
        (b"HTTP/1.1 103 Early\r\n\r\n" * 3 + FOUND, Reason.FOUND, Outcome.FOUND),
        (response(404), Reason.NOT_FOUND, Outcome.MISSING),
        (response(401), Reason.UNAUTHORIZED, Outcome.DENIED),
        (response(403), Reason.UNAUTHORIZED, Outcome.DENIED),
        (response(429, {"retry-after": "60"}), Reason.RATE_LIMITED, Outcome.DENIED),
        (response(500), Reason.SERVER_ERROR, Outcome.MISSING),
        (response(503), Reason.SERVER_ERROR, Outcome.MISSING),
        (response(418), Reason.UNEXPECTED, Outcome.MISSING),
        (response(200, {"content-type": "text/html"}), Reason.UNEXPECTED, Outcome.MISSING),
        (response(302), Reason.REDIRECT, Outcome.MISSING),
        (response(302, {"location": "ftp://a/b"}), Reason.REDIRECT, Outcome.MISSING),
        (b"", Reason.BROKEN, Outcome.MISSING),
        (b"HTTP/1.1 200 OK\r\ncontent-ty", Reason.BROKEN, Outcome.MISSING),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Reason.BROKEN, Outcome.MISSING),
        (b"\x00\xff" * 40_000, Reason.BROKEN, Outcome.MISSING),
        (b"HTTP/1.1 200 OK\r\nno header\r\n\r\n", Reason.BROKEN, Outcome.MISSING),
        (b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n", Reason.BROKEN, Outcome.MISSING),
        (response(200, {"content-length": "x"}), Reason.BROKEN, Outcome.MISSING),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20_000, Reason.BROKEN, Outcome.MISSING),
        (b"HTTP/1.1 200 OK\r\na: " + b"b" * 200_000, Reason.BROKEN, Outcome.MISSING),
        (b"HTTP/1.1 103 Early\r\n\r\n" * 50_000, Reason.BROKEN, Outcome.MISSING),
    ],
)
def test_answers(answer: bytes, reason: Reason, outcome: Outcome) -> None:
    found, _ = answered(always(answer))
    assert (found.reason, found.outcome) == (reason, outcome)
    assert "127.0.0.1" in found.text


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"", "closed the connection without an answer"),
        (b"?\r\n\r\n", "is not HTTP"),
        (b"HTTP/1.1 200 OK\r\na: " + b"b" * 200_000, "headers are over"),
        (b"HTTP/1.1 103 Early\r\n\r\n" * 50_000, "answer is over"),
    ],
)
def test_broken_answer_is_told_in_words(answer: bytes, says: str) -> None:
    found, _ = answered(always(answer))
    assert says in found.text


def test_body_of_an_answer_to_head_is_not_read() -> None:
    async def endless(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    started = time.perf_counter()
    found, _ = answered(endless)
    assert found.outcome is Outcome.FOUND
    assert time.perf_counter() - started < 0.5


def test_endless_headers_are_cut_off() -> None:
    async def endless(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"a: b\r\n" * 1000)
            await writer.drain()

    started = time.perf_counter()
    found, _ = answered(endless)
    assert found.reason is Reason.BROKEN
    assert time.perf_counter() - started < 0.5


def test_refused() -> None:
    async def scenario() -> Verdict:
        async with serving(never) as server:
            address = server.address
        return await verdict(Checker(), f"{address}/app")

    found = run(scenario)
    assert found.reason is Reason.REFUSED
    assert found.outcome is Outcome.MISSING


@pytest.mark.parametrize("host", ["registry.invalid", "a" * 70 + ".invalid"])
def test_name_does_not_resolve(host: str) -> None:
    async def scenario() -> Verdict:
        # A resolver of the machine that is slow would fail another test than this one.
        checker = Checker(limits=Limits(call_seconds=30, request_seconds=30))
        found = await verdict(checker, f"{host}/app")
        await checker.aclose()
        return found

    found = run(scenario)
    assert found.reason is Reason.UNRESOLVED
    assert found.outcome is Outcome.MISSING
    assert host in found.text


def test_reset_while_answering() -> None:
    async def reset(request: Request, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        # To close is to reset from now on.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    found, _ = answered(reset)
    assert found.reason is Reason.UNREACHABLE
    assert found.outcome is Outcome.MISSING


def test_slow_answer_is_awaited() -> None:
    async def slow(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.5)
        writer.write(FOUND)

    found, _ = answered(slow)
    assert found.outcome is Outcome.FOUND


def trickle(seconds: float) -> Handler:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        for byte in FOUND:
            writer.write(bytes([byte]))
            await asyncio.sleep(seconds)

    return handler


@pytest.mark.parametrize("handler", [never, trickle(0.2)])
def test_too_slow(handler: Handler) -> None:
    started = time.perf_counter()
    found, _ = answered(handler)
    assert 0.9 < time.perf_counter() - started < 1.3
    assert found.reason is Reason.TIMED_OUT
    assert found.outcome is Outcome.MISSING


def test_trickled_answer_is_read() -> None:
    found, _ = answered(trickle(0.001))
    assert found.outcome is Outcome.FOUND


def redirecting(location: str, code: int = 307) -> Handler:
    """Redirect each manifest to a place, and find whatever is not a manifest."""
    return routed(
        lambda request: (
            response(code, {"location": location})
            if request.target.startswith("/v2/team/")
            else FOUND
        )
    )


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_one_redirect_is_followed(code: int) -> None:
    found, requests = answered(redirecting("/elsewhere?a=b", code))
    assert found.outcome is Outcome.FOUND
    assert [(r.method, r.target) for r in requests][1:] == [("HEAD", "/elsewhere?a=b")]


def test_redirect_loop_ends() -> None:
    found, requests = answered(redirecting("/v2/team/app/manifests/1"))
    assert found.reason is Reason.REDIRECT
    assert found.outcome is Outcome.MISSING
    assert len(requests) == 2


@pytest.mark.parametrize("image", ["", "Not a reference", "r.example:99999/a", "x" * 5000])
def test_what_is_no_image_is_a_verdict(image: str) -> None:
    found = run(lambda: verdict(Checker(), image))
    assert found.reason is Reason.INVALID
    assert found.outcome is Outcome.MISSING


def test_nothing_to_check() -> None:
    assert run(lambda: Checker().check([])) == {}


def test_internal_error_is_a_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(image: str) -> None:
        raise RuntimeError("s3cret")

    monkeypatch.setattr("imageswap.registry.checker.manifest", fails)
    found = run(lambda: verdict(Checker(), "r.example/a"))
    assert found.reason is Reason.INTERNAL
    assert "s3cret" not in found.text


def test_a_call_has_a_verdict_for_each_image() -> None:
    async def scenario() -> None:
        handler = routed(lambda request: FOUND if "/a/" in request.target else response(404))
        async with serving(handler) as server:
            checker = Checker({server.address: PLAIN}, limits=Limits(call_seconds=5))
            images = [f"{server.address}/a", f"{server.address}/b", "?", f"{server.address}/a"]
            verdicts = await checker.check(images)
            assert {image: v.reason for image, v in verdicts.items()} == {
                images[0]: Reason.FOUND,
                images[1]: Reason.NOT_FOUND,
                "?": Reason.INVALID,
            }
            assert len(server.requests) == 2
            await checker.aclose()

    run(scenario)
