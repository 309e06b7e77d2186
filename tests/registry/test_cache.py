from imageswap.registry.breaker import Breaker
from imageswap.registry.cache import Cache
from tests.registry.scripted import Clock


def test_entries_end() -> None:
    clock = Clock()
    cache: Cache[str, int] = Cache(10, clock)
    cache.put("a", 1, 30)
    clock.now += 29.9
    assert cache.get("a") == 1
    clock.now += 0.1
    assert cache.get("a") is None
    assert len(cache) == 0


def test_least_used_goes_first() -> None:
    cache: Cache[str, int] = Cache(2, Clock())
    cache.put("a", 1, 30)
    cache.put("b", 2, 30)
    assert cache.get("a") == 1
    cache.put("c", 3, 30)
    assert [cache.get(key) for key in "abc"] == [1, None, 3]
    assert len(cache) == 2


def test_breaker_opens_after_failures_in_a_row() -> None:
    breaker = Breaker(3, 15, Clock())
    for _ in range(2):
        assert breaker.enter()
        assert not breaker.failed()
    assert breaker.enter()
    breaker.succeeded()
    for _ in range(2):
        assert breaker.enter()
        assert not breaker.failed()
    assert breaker.enter()
    assert breaker.failed()
    assert breaker.is_open()
    assert not breaker.enter()


def test_breaker_lets_one_trial_pass() -> None:
    clock = Clock()
    breaker = Breaker(1, 15, clock)
    assert breaker.enter()
    assert breaker.failed()
    clock.now += 14.9
    assert not breaker.enter()
    clock.now += 0.1
    assert breaker.enter()
    assert not breaker.enter()
    assert breaker.failed()
    clock.now += 15
    assert breaker.enter()
    breaker.succeeded()
    assert breaker.enter()
    assert breaker.enter()


def test_late_failures_do_not_keep_the_breaker_open() -> None:
    clock = Clock()
    breaker = Breaker(1, 15, clock)
    assert breaker.enter()
    assert breaker.enter()
    assert breaker.failed()
    clock.now += 10
    assert not breaker.failed()
    clock.now += 5
    assert breaker.enter()
