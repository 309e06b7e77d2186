"""Certificates that are trusted, and all ways in which they are not."""

import asyncio
import contextlib
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from imageswap.registry.checker import Checker
from imageswap.registry.settings import RegistrySettings
from imageswap.registry.verdict import Outcome, Reason, Verdict
from local.certificates import Authority, Pair
from tests.registry.scripted import (
    FOUND,
    PLAIN,
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


@pytest.fixture(scope="session")
def pair(authority: Authority) -> Pair:
    return authority.server("registry", ["127.0.0.1"], ["localhost"])


@pytest.fixture(scope="session")
def wrong_name(authority: Authority) -> Pair:
    return authority.server("wrong", ["127.0.0.2"], ["elsewhere.example"])


@pytest.fixture(scope="session")
def expired(authority: Authority, pair: Pair) -> Pair:
    """A certificate that ended yesterday, for the key of `pair`."""
    certificate = authority.folder / "expired.crt"
    extensions = authority.folder / "expired.cnf"
    extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    request = f"req -new -key {pair.key} -subj /CN=expired -config /dev/null"
    sign = f"x509 -req -CA {authority.pair.certificate} -CAkey {authority.pair.key} -days -1"
    sign += f" -extfile {extensions} -out {certificate}"
    asked = subprocess.run(["openssl", *request.split()], check=True, capture_output=True).stdout
    subprocess.run(["openssl", *sign.split()], input=asked, check=True, capture_output=True)
    return Pair(certificate, pair.key)


@pytest.fixture(scope="session")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A certificate of an authority that nobody knows."""
    other = Authority.make(tmp_path_factory.mktemp("other") / "ca")
    return other.server("registry", ["127.0.0.1"], ["localhost"])


def serving_with(pair: Pair) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


def found_with(tls: ssl.SSLContext, settings: RegistrySettings) -> Verdict:
    found, _ = answered(always(FOUND), settings=settings, tls=tls)
    return found


def test_custom_ca(pair: Pair, ca: str) -> None:
    found = found_with(serving_with(pair), RegistrySettings(ca=ca))
    assert found.outcome is Outcome.FOUND


def test_ca_is_of_one_registry_only(pair: Pair, ca: str) -> None:
    async def scenario() -> tuple[Verdict, Verdict]:
        async with serving(always(FOUND), serving_with(pair)) as server:
            checker = Checker({server.address: RegistrySettings(ca=ca)})
            images = [f"{server.address}/app", f"{server.other_address}/app"]
            verdicts = await checker.check(images)
            await checker.aclose()
            return verdicts[images[0]], verdicts[images[1]]

    known, unknown = run(scenario)
    assert known.outcome is Outcome.FOUND
    assert unknown.reason is Reason.CERTIFICATE


@pytest.mark.parametrize(
    ("certificate", "with_ca", "says"),
    [
        ("pair", False, "unable to get local issuer certificate"),
        ("self_signed", True, "unable to get local issuer certificate"),
        ("wrong_name", True, "not valid for '127.0.0.1'"),
        ("expired", True, "certificate has expired"),
    ],
)
def test_untrusted(
    request: pytest.FixtureRequest, ca: str, certificate: str, with_ca: bool, says: str
) -> None:
    settings = RegistrySettings(ca=ca if with_ca else "")
    found = found_with(serving_with(request.getfixturevalue(certificate)), settings)
    assert (found.reason, found.outcome) == (Reason.CERTIFICATE, Outcome.DENIED)
    assert says in found.text


@pytest.mark.parametrize("certificate", ["pair", "self_signed", "wrong_name", "expired"])
def test_insecure_skip_verify(request: pytest.FixtureRequest, certificate: str) -> None:
    context = serving_with(request.getfixturevalue(certificate))
    found = found_with(context, RegistrySettings(insecure_skip_verify=True))
    assert found.outcome is Outcome.FOUND


def test_self_signed_authority_itself(authority: Authority) -> None:
    found = found_with(serving_with(authority.pair), RegistrySettings())
    assert found.reason is Reason.CERTIFICATE
    assert "self-signed" in found.text


def test_registry_that_wants_a_client_certificate(pair: Pair, ca: str) -> None:
    context = serving_with(pair)
    context.verify_mode = ssl.CERT_REQUIRED

    def refuse(listening: socket.socket) -> None:
        # Blocking, for a server of asyncio drops the alert of a handshake that it refuses.
        connected, _ = listening.accept()
        tls = context.wrap_socket(connected, server_side=True, do_handshake_on_connect=False)
        with contextlib.suppress(ssl.SSLError):
            tls.do_handshake()
        # Read to the end, for to close before that would drop the alert, too.
        with socket.socket(fileno=tls.detach()) as raw:
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(4096):
                pass

    async def scenario() -> Verdict:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            address = f"127.0.0.1:{listening.getsockname()[1]}"
            checker = Checker({address: RegistrySettings(ca=ca)})
            refusing = asyncio.get_running_loop().run_in_executor(None, refuse, listening)
            found = await verdict(checker, f"{address}/app")
            await refusing
            await checker.aclose()
            return found

    found = run(scenario)
    assert (found.reason, found.outcome) == (Reason.CERTIFICATE, Outcome.DENIED)
    assert "of the client" in found.text


def test_plain_http_is_not_spoken_unasked() -> None:
    async def scenario() -> Verdict:
        async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(response(400))
            writer.close()

        server = await asyncio.start_server(plain, "127.0.0.1", 0)
        found = await verdict(Checker(), f"127.0.0.1:{server.sockets[0].getsockname()[1]}/app")
        server.close()
        return found

    found = run(scenario)
    assert (found.reason, found.outcome) == (Reason.TLS, Outcome.MISSING)
    assert "wrong version number" in found.text


def test_tls_where_plain_http_was_asked_for(pair: Pair) -> None:
    found = found_with(serving_with(pair), PLAIN)
    assert found.outcome is Outcome.MISSING
    assert found.registry_failed


def test_handshake_that_hangs_leaves_nothing_behind() -> None:
    """Over TLS, a server that takes the connection and says nothing."""

    async def scenario() -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.transport.abort()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        checker = Checker()
        started = asyncio.get_running_loop().time()
        found = await verdict(checker, f"127.0.0.1:{port}/app")
        assert asyncio.get_running_loop().time() - started < 1.2
        assert found.reason is Reason.TIMED_OUT
        await checker.aclose()
        server.close()

    run(scenario)


def test_token_server_with_the_same_certificate(pair: Pair, ca: str) -> None:
    """It has another name and no settings, so those of the registry hold."""

    async def scenario() -> None:
        def route(request: Request) -> bytes:
            if request.target.startswith("/token"):
                return response(200, {}, b'{"access_token": "t"}')
            if request.headers.get("authorization") == "Bearer t":
                return FOUND
            realm = f"https://{server.other_address}/token"
            return response(401, {"www-authenticate": f'Bearer realm="{realm}"'})

        async with serving(routed(route), serving_with(pair)) as server:
            checker = Checker({server.address: RegistrySettings(ca=ca)})
            found = await verdict(checker, f"{server.address}/app")
            assert found.outcome is Outcome.FOUND
            await checker.aclose()

    run(scenario)


def test_token_server_with_another_certificate(pair: Pair, self_signed: Pair, ca: str) -> None:
    async def scenario() -> None:
        async with serving(always(FOUND), serving_with(self_signed)) as auth:
            realm = f"https://{auth.other_address}/token"
            refused = response(401, {"www-authenticate": f'Bearer realm="{realm}"'})
            async with serving(always(refused), serving_with(pair)) as server:
                checker = Checker({server.address: RegistrySettings(ca=ca)})
                found = await verdict(checker, f"{server.address}/app")
                assert (found.reason, found.outcome) == (Reason.CERTIFICATE, Outcome.DENIED)
                assert "the token server" in found.text
                await checker.aclose()

    run(scenario)


@pytest.mark.parametrize("login", ["", "user:s3cret"])
def test_token_server_in_plain_http_is_not_asked(pair: Pair, ca: str, login: str) -> None:
    async def scenario() -> None:
        async with serving(always(response(200, {}, b'{"token": "t"}'))) as auth:
            realm = f"http://{auth.other_address}/token"
            refused = response(401, {"www-authenticate": f'Bearer realm="{realm}"'})
            async with serving(always(refused), serving_with(pair)) as server:
                checker = Checker(
                    {server.address: RegistrySettings(ca=ca)}, keyring(server.address, login)
                )
                found = await verdict(checker, f"{server.address}/app")
                assert found.outcome is Outcome.DENIED
                assert "plain HTTP" in found.text
                await checker.aclose()
        assert auth.connections == 0

    run(scenario)


def test_redirect_to_plain_http_is_not_followed(pair: Pair, ca: str) -> None:
    async def scenario() -> None:
        async with serving(always(FOUND)) as other:
            moved = response(302, {"location": f"http://{other.address}/"})
            async with serving(always(moved), serving_with(pair)) as server:
                checker = Checker({server.address: RegistrySettings(ca=ca)})
                found = await verdict(checker, f"{server.address}/app")
                assert (found.reason, found.outcome) == (Reason.REDIRECT, Outcome.MISSING)
                await checker.aclose()
        assert other.connections == 0

    run(scenario)


def test_docker_hub(
    authority: Authority, ca: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Docker Hub by another address: its endpoint, its token server, its credentials."""
    hub = authority.server("hub", [], ["registry-1.docker.io", "auth.docker.io"])

    async def scenario() -> None:
        def route(request: Request) -> bytes:
            if request.headers["host"] == "auth.docker.io":
                assert request.headers["authorization"].startswith("Basic ")
                return response(200, {}, b'{"token": "t"}')
            if request.headers.get("authorization") == "Bearer t":
                return FOUND
            challenge = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'
            return response(401, {"www-authenticate": challenge})

        async with serving(routed(route), serving_with(hub)) as server:

            async def getaddrinfo(host: str, port: int, **options: object) -> list[object]:
                assert port == 443
                return [(2, 1, 6, "", ("127.0.0.1", server.port))]

            monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
            login = keyring("https://index.docker.io/v1/", "user:s3cret")
            checker = Checker({"docker.io": RegistrySettings(ca=ca)}, login)
            found = await verdict(checker, "nginx")
            assert found.outcome is Outcome.FOUND
            assert [request.target.partition("?")[0] for request in server.requests] == [
                "/v2/library/nginx/manifests/latest",
                "/token",
                "/v2/library/nginx/manifests/latest",
            ]
            await checker.aclose()

    run(scenario)
