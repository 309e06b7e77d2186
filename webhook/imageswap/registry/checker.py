"""Asks for all images of an object at once, within bounds, and remembers the answers."""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Protocol

from imageswap.registry.breaker import Breaker
from imageswap.registry.cache import Cache
from imageswap.registry.client import Client
from imageswap.registry.credentials import Keyring
from imageswap.registry.manifest import Manifest, manifest
from imageswap.registry.probe import Probe
from imageswap.registry.settings import Limits, Registries, RegistrySettings
from imageswap.registry.verdict import Outcome, Reason, Verdict, of_error

# Registries come from the targets of the rules, so that there are few; a rule may make more.
_MAX_REGISTRIES = 256
_MAX_FLIGHTS = 8192


class Observer(Protocol):
    """Is told what a checker does, for metrics. What it raises is passed over."""

    def asked(self, registry: str, verdict: Verdict, seconds: float) -> None:
        """A registry was asked: what came of it, and how long it took."""

    def recalled(self, registry: str, verdict: Verdict) -> None:
        """An answer was remembered, and the registry not asked."""

    def paused(self, registry: str, verdict: Verdict) -> None:
        """A registry failed too often and is left alone; the verdict is of the last failure."""


class _Lane:
    """What is kept of one registry: how many requests it has, and whether it works."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self.breaker = Breaker(limits.failures, limits.pause_seconds, clock)
        self.slots = asyncio.Semaphore(limits.connections)
        self.flights = 0
        self.last_failure = ""


class Checker:
    """Says of images whether their registries have them.

    Takes the settings of registries by registry as images name it (``host`` or ``host:port``), the
    credentials, the bounds, who is told for metrics, and a clock in seconds. Belongs to the event
    loop that it is first used in; ``aclose`` ends it.

    Raises:
        InvalidSettings: where the settings of a registry cannot be used.
    """

    def __init__(
        self,
        registries: Mapping[str, RegistrySettings] | None = None,
        keyring: Keyring | None = None,
        limits: Limits | None = None,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits or Limits()
        self._observer = observer
        self._clock = clock
        self._client = Client()
        self._probe = Probe(
            self._client,
            Registries(registries or {}),
            keyring or Keyring(),
            Cache(self._limits.remembered, clock),
        )
        self._verdicts: Cache[Manifest, Verdict] = Cache(self._limits.remembered, clock)
        self._lanes: Cache[str, _Lane] = Cache(_MAX_REGISTRIES, clock)
        self._flights: dict[Manifest, asyncio.Task[Verdict]] = {}
        self._closed = False

    async def check(self, images: Collection[str]) -> Mapping[str, Verdict]:
        """Ask for images, all at once.

        Takes image references and gives a verdict for each of them, after ``call_seconds`` at the
        latest. Never raises; a caller that is cancelled cancels nothing for others.
        """
        deadline = asyncio.get_running_loop().time() + self._limits.call_seconds
        answers = {image: self._start(image) for image in images}
        flights = {answer for answer in answers.values() if isinstance(answer, asyncio.Task)}
        if flights:
            left = max(0.0, deadline - asyncio.get_running_loop().time())
            await asyncio.wait(flights, timeout=left)
        return {
            image: self._land(image, answer) if isinstance(answer, asyncio.Task) else answer
            for image, answer in answers.items()
        }

    async def aclose(self) -> None:
        """Give up all that is under way. Images are answered from memory, or not, from now on."""
        self._closed = True
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        await self._client.aclose()

    def _start(self, image: str) -> "Verdict | asyncio.Task[Verdict]":
        """Give the verdict of an image where no registry has to be asked, or else the asking."""
        try:
            place = manifest(image)
            if place is None:
                return Verdict(Reason.INVALID, f"{image[:255]!r} is not an image reference")
            return self._known(place) or self._ask(place)
        except Exception as error:
            return of_error(image, error)

    def _known(self, place: Manifest) -> Verdict | None:
        known = self._verdicts.get(place)
        if known:
            with self._telling() as observer:
                observer.recalled(place.registry, known)
        return known

    def _ask(self, place: Manifest) -> "Verdict | asyncio.Task[Verdict]":
        flight = self._flights.get(place)
        if flight:
            return flight
        if self._closed:
            return Verdict(Reason.CLOSED, f"{place.registry} is not asked: the webhook is ending")
        lane = self._lane(place.registry)
        if lane.breaker.is_open():
            return self._paused(place.registry, lane)
        too_many = lane.flights >= self._limits.connections + self._limits.waiting
        if too_many or len(self._flights) >= _MAX_FLIGHTS:
            return Verdict(Reason.BUSY, f"{place.registry} is asked for too many images at once")
        flight = self._flights[place] = asyncio.create_task(self._fly(place, lane))
        lane.flights += 1
        flight.add_done_callback(lambda _: self._landed(place, lane))
        return flight

    def _land(self, image: str, flight: "asyncio.Task[Verdict]") -> Verdict:
        if not flight.done():
            return _timed_out(f"the registry of {image}", self._limits.call_seconds)
        if flight.cancelled():
            return Verdict(Reason.CLOSED, f"{image} is not asked for: the webhook is ending")
        error = flight.exception()
        return of_error(image, error) if isinstance(error, Exception) else flight.result()

    def _landed(self, place: Manifest, lane: _Lane) -> None:
        lane.flights -= 1
        del self._flights[place]

    async def _fly(self, place: Manifest, lane: _Lane) -> Verdict:
        """Ask for an image and remember the answer, whoever waits for it still."""
        async with lane.slots:
            # The breaker may have opened while this waited.
            if not lane.breaker.enter():
                return self._paused(place.registry, lane)
            started = self._clock()
            try:
                async with asyncio.timeout(self._limits.request_seconds):
                    verdict = await self._probe.ask(place)
            except TimeoutError:
                verdict = _timed_out(place.registry, self._limits.request_seconds)
            self._record(place, lane, verdict, self._clock() - started)
            return verdict

    def _record(self, place: Manifest, lane: _Lane, verdict: Verdict, seconds: float) -> None:
        is_found = verdict.outcome is Outcome.FOUND
        lifetime = self._limits.found_seconds if is_found else self._limits.other_seconds
        self._verdicts.put(place, verdict, lifetime)
        with self._telling() as observer:
            observer.asked(place.registry, verdict, seconds)
        if not verdict.registry_failed:
            lane.breaker.succeeded()
            return
        lane.last_failure = verdict.text
        if lane.breaker.failed():
            with self._telling() as observer:
                observer.paused(place.registry, verdict)

    def _lane(self, registry: str) -> _Lane:
        lane = self._lanes.get(registry)
        if lane is None:
            lane = _Lane(self._limits, self._clock)
            self._lanes.put(registry, lane, math.inf)
        return lane

    def _paused(self, registry: str, lane: _Lane) -> Verdict:
        return Verdict(
            Reason.PAUSED,
            f"{registry} is not asked for {self._limits.pause_seconds:g} s, for it failed "
            f"{self._limits.failures} times in a row; the last time, {lane.last_failure}",
        )

    @contextlib.contextmanager
    def _telling(self) -> Iterator[Observer]:
        with contextlib.suppress(Exception):
            yield self._observer or _NOBODY


class _Nobody:
    def asked(self, registry: str, verdict: Verdict, seconds: float) -> None: ...

    def recalled(self, registry: str, verdict: Verdict) -> None: ...

    def paused(self, registry: str, verdict: Verdict) -> None: ...


_NOBODY = _Nobody()


def _timed_out(who: str, seconds: float) -> Verdict:
    return Verdict(Reason.TIMED_OUT, f"{who} does not answer within {seconds:g} s")
