"""Registries that want to know who asks: tokens and passwords, over real connections."""

import base64
import json
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import pytest

from imageswap.registry.checker import Checker
from imageswap.registry.verdict import Outcome, Reason
from tests.registry.scripted import (
    FOUND,
    PLAIN,
    Clock,
    Request,
    always,
    answered,
    keyring,
    response,
    routed,
    run,
    serving,
    verdict,
)

pytestmark = pytest.mark.filterwarnings("error")


class Guarded:
    """A registry that wants a token for each repository, and its token server, in one."""

    def __init__(self, accepts: str = "") -> None:
        self.accepts = accepts
        self.given = 0

    def __call__(self, request: Request) -> bytes:
        target = urlsplit(request.target)
        if target.path == "/token":
            return self.token(request, dict(parse_qsl(target.query)))
        scope = f"repository:{target.path.split('/manifests/')[0].removeprefix('/v2/')}:pull"
        if request.headers.get("authorization", "").startswith(f"Bearer {scope}/"):
            return FOUND
        realm = f"http://{request.headers['host']}/token"
        challenge = f'Bearer realm="{realm}",service="the registry",scope="{scope}"'
        return response(401, {"www-authenticate": challenge})

    def token(self, request: Request, query: Mapping[str, str]) -> bytes:
        if request.headers.get("authorization", "") != self.accepts:
            return response(401)
        assert query["service"] == "the registry"
        self.given += 1
        token = {"token": f"{query['scope']}/{self.given}", "expires_in": 300}
        return response(200, {}, json.dumps(token).encode())


BASIC = "Basic " + base64.b64encode(b"user:s3cret").decode()


def test_anonymous_token() -> None:
    found, requests = answered(routed(Guarded()))
    assert found.outcome is Outcome.FOUND
    assert [r.method for r in requests] == ["HEAD", "GET", "HEAD"]
    assert "authorization" not in requests[1].headers


def test_token_with_credentials() -> None:
    found, requests = answered(routed(Guarded(accepts=BASIC)), pair="user:s3cret")
    assert found.outcome is Outcome.FOUND
    assert [r.headers.get("authorization", "").partition(" ")[0] for r in requests] == [
        "",
        "Basic",
        "Bearer",
    ]


@pytest.mark.parametrize("pair", ["", "user:wrong"])
def test_wrong_credentials(pair: str) -> None:
    found, requests = answered(routed(Guarded(accepts=BASIC)), pair=pair)
    assert found.reason is Reason.UNAUTHORIZED
    assert found.outcome is Outcome.DENIED
    assert "token server" in found.text
    assert "wrong" not in found.text
    assert len(requests) == 2


def test_token_is_used_until_it_ends() -> None:
    clock = Clock()

    async def scenario() -> None:
        async with serving(routed(Guarded())) as server:
            checker = Checker({server.address: PLAIN}, clock=clock)

            async def requests_for(name: str) -> int:
                before = len(server.requests)
                assert (await verdict(checker, f"{server.address}/{name}")).swaps
                return len(server.requests) - before

            assert await requests_for("team/app:1") == 3
            assert await requests_for("team/app:2") == 1
            assert await requests_for("team/other:1") == 3
            clock.now += 289
            assert await requests_for("team/app:3") == 1
            clock.now += 1
            assert await requests_for("team/app:4") == 3
            await checker.aclose()

    run(scenario)


def test_token_that_is_refused_early_is_renewed() -> None:

    async def scenario() -> None:
        async with serving(routed(Guarded())) as server:
            checker = Checker({server.address: PLAIN})
            assert (await verdict(checker, f"{server.address}/team/app:1")).swaps
            revoked = response(
                401, {"www-authenticate": f'Bearer realm="http://{server.address}/token"'}
            )
            server.handler = routed(
                lambda request: (
                    revoked
                    if request.headers.get("authorization", "").endswith("/1")
                    else response(200, {}, b'{"token": "repository:team/app:pull/2"}')
                )
            )
            assert (await verdict(checker, f"{server.address}/team/app:2")).swaps
            assert len(server.requests) == 6
            await checker.aclose()

    run(scenario)


def test_token_that_does_not_help() -> None:
    """Docker Hub gives a token for any name, and then answers 401."""

    def route(request: Request) -> bytes:
        if request.target.startswith("/token"):
            return response(200, {}, b'{"token": "t"}')
        host = request.headers["host"]
        return response(401, {"www-authenticate": f'Bearer realm="http://{host}/token"'})

    found, requests = answered(routed(route))
    assert found.outcome is Outcome.DENIED
    assert len(requests) == 3


@pytest.mark.parametrize(
    ("answer", "reason", "outcome"),
    [
        (response(403), Reason.UNAUTHORIZED, Outcome.DENIED),
        (response(404), Reason.UNAUTHORIZED, Outcome.DENIED),
        (response(302, {"location": "/"}), Reason.UNAUTHORIZED, Outcome.DENIED),
        (response(429), Reason.RATE_LIMITED, Outcome.DENIED),
        (response(500), Reason.SERVER_ERROR, Outcome.MISSING),
        (response(200), Reason.UNAUTHORIZED, Outcome.DENIED),
        (response(200, {}, b"[]"), Reason.UNAUTHORIZED, Outcome.DENIED),
        (response(200, {}, b'{"token": "a\\r\\nb: c"}'), Reason.UNAUTHORIZED, Outcome.DENIED),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{", Reason.BROKEN, Outcome.MISSING),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 2_000_000, Reason.BROKEN, Outcome.MISSING),
        (b"", Reason.BROKEN, Outcome.MISSING),
    ],
)
def test_answers_of_token_servers(answer: bytes, reason: Reason, outcome: Outcome) -> None:
    def route(request: Request) -> bytes:
        if request.target.startswith("/token"):
            return answer
        host = request.headers["host"]
        return response(401, {"www-authenticate": f'Bearer realm="http://{host}/token"'})

    found, _ = answered(routed(route))
    assert (found.reason, found.outcome) == (reason, outcome)
    assert "the token server of 127.0.0.1" in found.text


@pytest.mark.parametrize("realm", ["", "not a URL", "ftp://a/", "https://user:pass@a/"])
def test_realm_that_cannot_be_asked(realm: str) -> None:
    challenge = {"www-authenticate": f'Bearer realm="{realm}"'}
    found, requests = answered(always(response(401, challenge)))
    assert found.outcome is Outcome.DENIED
    assert len(requests) == 1


@pytest.mark.parametrize(
    ("pair", "outcome", "count"),
    [("user:s3cret", Outcome.FOUND, 2), ("user:wrong", Outcome.DENIED, 2), ("", Outcome.DENIED, 1)],
)
def test_basic(pair: str, outcome: Outcome, count: int) -> None:
    def route(request: Request) -> bytes:
        if request.headers.get("authorization") == BASIC:
            return FOUND
        return response(401, {"www-authenticate": 'Basic realm="r"'})

    found, requests = answered(routed(route), pair=pair)
    assert (found.outcome, len(requests)) == (outcome, count)


@pytest.mark.parametrize("challenge", ['Basic realm="r"', 'Bearer realm="http://{}/token"'])
def test_challenge_from_elsewhere_gets_no_credentials(challenge: str) -> None:
    async def scenario() -> None:
        def route(request: Request) -> bytes:
            host = request.headers["host"]
            if host == server.address:
                return response(307, {"location": f"http://{server.other_address}/there"})
            return response(401, {"www-authenticate": challenge.format(host)})

        async with serving(routed(route)) as server:
            checker = Checker({server.address: PLAIN}, keyring(server.address, "user:s3cret"))
            found = await verdict(checker, f"{server.address}/team/app")
            assert found.outcome is Outcome.DENIED
            assert len(server.requests) == 2
            await checker.aclose()

    run(scenario)


@pytest.mark.parametrize(("elsewhere", "outcome"), [(False, Outcome.FOUND), (True, Outcome.DENIED)])
def test_redirect_elsewhere_does_not_leak_authorization(elsewhere: bool, outcome: Outcome) -> None:
    """The same server by another name is another origin."""

    async def scenario() -> None:
        def route(request: Request) -> bytes:
            if "authorization" not in request.headers:
                return response(401, {"www-authenticate": 'Basic realm="r"'})
            if request.target == "/there":
                return FOUND
            address = server.other_address if elsewhere else server.address
            return response(307, {"location": f"http://{address}/there"})

        async with serving(routed(route)) as server:
            checker = Checker({server.address: PLAIN}, keyring(server.address, "user:s3cret"))
            found = await verdict(checker, f"{server.address}/team/app")
            assert found.outcome is outcome
            assert ("authorization" in server.requests[-1].headers) is not elsewhere
            assert server.requests[-1].target == "/there"
            assert len(server.requests) == 3
            await checker.aclose()

    run(scenario)
