"""Time, memory, and what many callers at once cost a registry."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from imageswap.registry.checker import Checker
from imageswap.registry.settings import Limits
from imageswap.registry.verdict import Outcome, Reason, Verdict
from tests.registry.scripted import (
    FOUND,
    PLAIN,
    Clock,
    Request,
    Scripted,
    Told,
    always,
    never,
    response,
    routed,
    run,
    serving,
    verdict,
)

pytestmark = pytest.mark.filterwarnings("error")


def with_server(
    scenario: Callable[[Scripted, Checker, Clock, Told], Awaitable[None]],
    limits: Limits | None = None,
) -> None:
    """Run a scenario with a server that has every image, and a checker for it."""

    async def whole() -> None:
        clock, told = Clock(), Told()
        async with serving(always(FOUND)) as server:
            settings = {server.address: PLAIN, server.other_address: PLAIN}
            checker = Checker(settings, limits=limits, observer=told, clock=clock)
            try:
                await scenario(server, checker, clock, told)
            finally:
                await checker.aclose()

    run(whole)


async def slow(request: Request, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.1)
    writer.write(FOUND)


@pytest.mark.parametrize(
    ("status", "lifetime"), [(200, 600.0), (404, 30.0), (500, 30.0), (403, 30.0)]
)
def test_answers_are_remembered(status: int, lifetime: float) -> None:
    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        server.handler = always(response(status))
        image = f"{server.address}/app"
        first = await verdict(checker, image)
        clock.now += lifetime - 0.1
        assert await verdict(checker, image) == first
        assert await verdict(checker, f"{image}:latest") == first
        assert len(server.requests) == 1
        clock.now += 0.1
        assert await verdict(checker, image) == first
        assert len(server.requests) == 2
        assert [v for _, v, _ in told.asked_of] == [first, first]
        assert told.recalled_of == [(server.address, first)] * 2

    with_server(scenario)


def test_times_of_memory_can_be_set() -> None:
    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        await verdict(checker, f"{server.address}/app")
        clock.now += 2
        await verdict(checker, f"{server.address}/app")
        assert len(server.requests) == 2

    with_server(scenario, Limits(found_seconds=2))


def test_memory_is_bounded() -> None:
    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        for number in range(4):
            await verdict(checker, f"{server.address}/app:{number}")
        await verdict(checker, f"{server.address}/app:3")
        assert len(server.requests) == 4
        await verdict(checker, f"{server.address}/app:0")
        assert len(server.requests) == 5

    with_server(scenario, Limits(remembered=3))


def test_100_callers_are_one_request() -> None:
    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        server.handler = slow
        image = f"{server.address}/app"
        verdicts = await asyncio.gather(*(verdict(checker, image) for _ in range(100)))
        assert {v.outcome for v in verdicts} == {Outcome.FOUND}
        assert server.connections == 1

    with_server(scenario)


def test_caller_that_goes_cancels_nothing_for_others() -> None:
    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        server.handler = slow
        image = f"{server.address}/app"
        callers = [asyncio.create_task(verdict(checker, image)) for _ in range(10)]
        await asyncio.sleep(0.05)
        for caller in callers[:9]:
            caller.cancel()
        assert (await callers[9]).outcome is Outcome.FOUND
        assert all(caller.cancelled() for caller in callers[:9])
        assert server.connections == 1

    with_server(scenario)


def test_late_answer_is_there_for_the_next_call() -> None:
    async def late(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        writer.write(FOUND)

    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        server.handler = late
        image = f"{server.address}/app"
        first = await verdict(checker, image)
        assert (first.reason, first.outcome) == (Reason.TIMED_OUT, Outcome.MISSING)
        assert "0.2 s" in first.text
        assert (await verdict(checker, image)).outcome is Outcome.FOUND
        assert server.connections == 1

    with_server(scenario, Limits(call_seconds=0.2))


def test_request_ends_by_itself() -> None:
    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        server.handler = never
        image = f"{server.address}/app"
        await verdict(checker, image)
        assert told.asked_of == []
        await asyncio.sleep(0.2)
        ((registry, found, _),) = told.asked_of
        assert (registry, found.reason) == (server.address, Reason.TIMED_OUT)
        assert await verdict(checker, image) == found

    with_server(scenario, Limits(call_seconds=0.1, request_seconds=0.2))


async def measured(awaitable: Awaitable[Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    return await awaitable, time.perf_counter() - started


def test_20_images_of_a_registry_that_hangs_take_a_second_in_all() -> None:
    async def scenario() -> None:
        async with serving(never) as hangs, serving(always(FOUND)) as works:
            checker = Checker({hangs.address: PLAIN, works.address: PLAIN})
            images = [f"{hangs.address}/app{number}" for number in range(20)]
            hanging = asyncio.create_task(measured(checker.check(images)))
            await asyncio.sleep(0.1)
            found, unaffected = await measured(verdict(checker, f"{works.address}/app"))
            verdicts, seconds = await hanging
            await checker.aclose()
        assert 0.95 < seconds < 1.2
        assert {v.reason for v in verdicts.values()} == {Reason.TIMED_OUT}
        assert len(verdicts) == 20
        assert found.outcome is Outcome.FOUND
        assert unaffected < 0.2

    run(scenario)


def test_mixed_call_keeps_what_was_answered() -> None:
    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        async def half(request: Request, writer: asyncio.StreamWriter) -> None:
            await (never if "slow" in request.target else always(FOUND))(request, writer)

        server.handler = half
        images = [f"{server.address}/{name}" for name in ("a", "slow", "b")]
        verdicts = await checker.check(images)
        assert [verdicts[image].outcome for image in images] == [
            Outcome.FOUND,
            Outcome.MISSING,
            Outcome.FOUND,
        ]

    with_server(scenario, Limits(call_seconds=0.3))


def test_no_more_than_so_many_connections() -> None:
    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        active = most = 0

        async def counting(request: Request, writer: asyncio.StreamWriter) -> None:
            nonlocal active, most
            active += 1
            most = max(most, active)
            await asyncio.sleep(0.02)
            writer.write(FOUND)
            active -= 1

        server.handler = counting
        images = [f"{server.address}/app{number}" for number in range(12)]
        reasons = [v.reason for v in (await checker.check(images)).values()]
        assert reasons == [Reason.FOUND] * 10 + [Reason.BUSY] * 2
        assert most <= 4
        again = await checker.check(images)
        assert {v.reason for v in again.values()} == {Reason.FOUND}

    with_server(scenario, Limits(connections=4, waiting=6))


class Names:
    """Stands in for the resolver of the loop."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, list[tuple[str, int]]] = {}
        self.seconds: dict[str, float] = {}
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self.getaddrinfo)

    async def getaddrinfo(self, host: str, port: int, **options: object) -> list[Any]:
        self.asked.append(host)
        await asyncio.sleep(self.seconds.get(host, 0.05))
        family = socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", a) for a in self.answers.get(host, [])]


def test_slow_resolver_is_bounded_and_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        names = Names(monkeypatch)
        names.seconds["slow.example"] = 60
        images = [f"slow.example/app{number}" for number in range(10)]
        verdicts, seconds = await measured(checker.check(images))
        assert 0.25 < seconds < 0.5
        assert {v.reason for v in verdicts.values()} == {Reason.TIMED_OUT}
        assert names.asked == ["slow.example"]
        _, seconds = await measured(checker.check([f"{server.address}/app"]))
        assert seconds < 0.2

    with_server(scenario, Limits(call_seconds=0.3))


def test_lookup_outlives_the_request_that_began_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        names = Names(monkeypatch)
        names.seconds["localhost"] = 0.3
        names.answers["localhost"] = [("127.0.0.1", server.port)]
        first = asyncio.create_task(verdict(checker, f"{server.other_address}/a"))
        await asyncio.sleep(0.15)
        second = await verdict(checker, f"{server.other_address}/b")
        assert (await first).reason is Reason.TIMED_OUT
        assert second.outcome is Outcome.FOUND
        assert names.asked == ["localhost"]

    with_server(scenario, Limits(request_seconds=0.2))


def test_lookup_that_fails_when_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        Names(monkeypatch).seconds["none.example"] = 0.15
        assert (await verdict(checker, "none.example/app")).reason is Reason.TIMED_OUT
        await asyncio.sleep(0.1)

    with_server(scenario, Limits(request_seconds=0.1))


def test_name_without_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        Names(monkeypatch)
        assert (await verdict(checker, "none.example/app")).reason is Reason.UNRESOLVED

    with_server(scenario)


def test_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """One address refuses, one does not answer, and the last one is there."""

    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        names = Names(monkeypatch)
        with black_hole() as hole, socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            names.answers["localhost"] = [
                closed.getsockname(),
                hole.getsockname(),
                ("127.0.0.1", server.port),
            ]
            found, seconds = await measured(verdict(checker, f"{server.other_address}/app"))
        assert found.outcome is Outcome.FOUND
        assert 0.2 < seconds < 0.6

    with_server(scenario)


@contextlib.contextmanager
def black_hole() -> Iterator[socket.socket]:
    """Give a port where connecting hangs: its backlog is full."""
    with contextlib.ExitStack() as opened:
        listening = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening


def test_breaker() -> None:
    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        names = iter(range(100))

        async def check() -> Verdict:
            return await verdict(checker, f"{server.address}/app{next(names)}")

        server.handler = always(response(503))
        for _ in range(3):
            assert (await check()).reason is Reason.SERVER_ERROR
        assert [registry for registry, _ in told.paused_of] == [server.address]
        paused, seconds = await measured(check())
        assert (paused.reason, paused.outcome) == (Reason.PAUSED, Outcome.MISSING)
        assert "answers 503" in paused.text
        assert seconds < 0.05
        assert len(server.requests) == 3

        # Another registry is asked still.
        other = await verdict(checker, f"{server.other_address}/app")
        assert other.reason is Reason.SERVER_ERROR
        assert len(server.requests) == 4

        clock.now += 15
        trial, late = await asyncio.gather(check(), check())
        assert (trial.reason, late.reason) == (Reason.SERVER_ERROR, Reason.PAUSED)
        assert (await check()).reason is Reason.PAUSED
        assert len(server.requests) == 5

        clock.now += 15
        server.handler = always(FOUND)
        assert (await check()).outcome is Outcome.FOUND
        assert {(await check()).outcome for _ in range(3)} == {Outcome.FOUND}

    with_server(scenario)


def test_nobody_waits_for_a_trial() -> None:
    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        server.handler = always(response(500))
        await verdict(checker, f"{server.address}/a")
        clock.now += 15
        server.handler = never
        trial = asyncio.create_task(verdict(checker, f"{server.address}/b"))
        await asyncio.sleep(0.05)
        paused, seconds = await measured(verdict(checker, f"{server.address}/c"))
        assert paused.reason is Reason.PAUSED
        assert seconds < 0.1
        assert (await trial).reason is Reason.TIMED_OUT

    with_server(scenario, Limits(call_seconds=0.3, failures=1, connections=1))


@pytest.mark.parametrize("status", [404, 401, 403, 429, 418])
def test_registry_that_answers_is_not_paused(status: int) -> None:
    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        statuses = iter([500, 500, status] * 3)
        server.handler = routed(lambda request: response(next(statuses)))
        for number in range(9):
            await verdict(checker, f"{server.address}/app{number}")
        assert len(server.requests) == 9
        assert told.paused_of == []

    with_server(scenario)


def test_registry_that_is_down_is_paused_by_one_object_of_many_images() -> None:
    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        server.handler = never
        images = [f"{server.address}/app{number}" for number in range(20)]
        assert {v.reason for v in (await checker.check(images)).values()} == {Reason.TIMED_OUT}
        await asyncio.sleep(0.15)
        # Those that waited for a connection are not asked any more, but for one or two that got
        # theirs before the third failure.
        assert server.connections <= 6
        assert len(told.paused_of) == 1
        found = await verdict(checker, f"{server.address}/other")
        assert found.reason is Reason.PAUSED

    with_server(scenario, Limits(call_seconds=0.1, request_seconds=0.2, connections=4))


def test_remembered_image_is_found_while_paused() -> None:
    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        known = f"{server.address}/known"
        await verdict(checker, known)
        server.handler = always(response(500))
        await checker.check([f"{server.address}/app{number}" for number in range(3)])
        verdicts = await checker.check([known, f"{server.address}/app9"])
        assert [v.reason for v in verdicts.values()] == [Reason.FOUND, Reason.PAUSED]

    with_server(scenario)


def test_close_ends_what_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(server: Scripted, checker: Checker, clock: Clock, told: Told) -> None:
        known = f"{server.address}/known"
        await verdict(checker, known)
        server.handler = never
        names = Names(monkeypatch)
        names.seconds["slow.example"] = 60
        images = [known, f"{server.address}/app", "slow.example/app"]
        caller = asyncio.create_task(measured(checker.check(images)))
        await asyncio.sleep(0.1)
        await checker.aclose()
        verdicts, seconds = await caller
        assert seconds < 0.3
        assert [v.reason for v in verdicts.values()] == [
            Reason.FOUND,
            Reason.CLOSED,
            Reason.CLOSED,
        ]
        verdicts = await checker.check(images)
        assert [v.reason for v in verdicts.values()] == [
            Reason.FOUND,
            Reason.CLOSED,
            Reason.CLOSED,
        ]

    with_server(scenario)


def test_observer_that_fails_changes_nothing() -> None:
    class Failing:
        def asked(self, registry: str, verdict: Verdict, seconds: float) -> None:
            raise RuntimeError

        def recalled(self, registry: str, verdict: Verdict) -> None:
            raise RuntimeError

        def paused(self, registry: str, verdict: Verdict) -> None:
            raise RuntimeError

    async def scenario() -> None:
        async with serving(always(response(500))) as server:
            checker = Checker({server.address: PLAIN}, observer=Failing())
            images = [f"{server.address}/app{number}" for number in range(3)]
            for _ in range(2):
                verdicts = await checker.check(images)
                assert {v.reason for v in verdicts.values()} == {Reason.SERVER_ERROR}
            await checker.aclose()

    run(scenario)
