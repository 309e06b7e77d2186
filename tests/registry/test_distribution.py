"""Against distribution's own registry, where it is installed: open, and with tokens."""

import asyncio
import base64
import hashlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from imageswap.registry.checker import Checker
from imageswap.registry.verdict import Outcome, Reason
from local import push
from local.certificates import Authority, Pair
from local.debian import search_path
from tests.registry.scripted import (
    MANIFEST_TYPE,
    PLAIN,
    Request,
    keyring,
    response,
    routed,
    run,
    serving,
)

PROGRAM = shutil.which("docker-registry", path=search_path())

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.skipif(not PROGRAM, reason="docker-registry is not on PATH"),
]

_STARTED_SECONDS = 10
_ISSUER = "tests"
_SERVICE = "the registry"
_BASIC = "Basic " + base64.b64encode(b"user:s3cret").decode()


@contextmanager
def registry(folder: Path, data: Path, auth: str = "") -> Iterator[str]:
    """Run a registry over a folder of images; give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = folder / "registry.yml"
    config.write_text(
        f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
        f"storage: {{filesystem: {{rootdirectory: {data}}}}}\nhttp: {{addr: '{address}'}}\n{auth}"
    )
    assert PROGRAM is not None
    process = subprocess.Popen(
        [PROGRAM, "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(process, address)
        yield address
    finally:
        process.kill()
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", address: str) -> None:
    host, _, port = address.partition(":")
    deadline = time.monotonic() + _STARTED_SECONDS
    while True:
        assert process.poll() is None, "the registry ended"
        try:
            socket.create_connection((host, int(port))).close()
            return
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the registry did not start"
            time.sleep(0.02)


def _layout(folder: Path) -> str:
    """Write an image layout with the smallest image there can be; give the manifest's digest."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def blob(content: bytes, media_type: str) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    config = blob(b"{}", "application/vnd.oci.image.config.v1+json")
    layer = blob(b"layer", "application/vnd.oci.image.layer.v1.tar")
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": [layer]}
    described = blob(json.dumps(manifest).encode(), MANIFEST_TYPE)
    (folder / "index.json").write_text(json.dumps({"manifests": [described]}))
    return str(described["digest"])


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A registry's folder with `team/app:1`, and the digest of it."""
    folder = tmp_path_factory.mktemp("distribution")
    digest = _layout(folder / "layout")
    with registry(folder, folder / "data") as address:
        push.push(folder / "layout", address, "team/app", "1")
    return folder / "data", digest


def test_open(images: tuple[Path, str], tmp_path: Path) -> None:
    data, digest = images
    with registry(tmp_path, data) as address:

        async def scenario() -> dict[str, Reason]:
            checker = Checker({address: PLAIN})
            wanted = [
                "team/app:1",
                f"team/app@{digest}",
                f"team/app:gone@{digest}",
                "team/app",
                "team/gone:1",
                f"team/app@sha256:{'0' * 64}",
            ]
            verdicts = await checker.check([f"{address}/{name}" for name in wanted])
            await checker.aclose()
            return {i.removeprefix(f"{address}/"): v.reason for i, v in verdicts.items()}

        assert run(scenario) == {
            "team/app:1": Reason.FOUND,
            f"team/app@{digest}": Reason.FOUND,
            f"team/app:gone@{digest}": Reason.FOUND,
            "team/app": Reason.NOT_FOUND,
            "team/gone:1": Reason.NOT_FOUND,
            f"team/app@sha256:{'0' * 64}": Reason.NOT_FOUND,
        }


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _token(signer: Pair, scope: str) -> str:
    """Make a JWT as the registry verifies it: distribution's token implementation."""
    kind, name, actions = scope.split(":")
    now = int(time.time())
    certificate = signer.certificate.read_text().split("-----")[2]
    header = {"typ": "JWT", "alg": "ES256", "x5c": ["".join(certificate.split())]}
    claims = {
        "iss": _ISSUER,
        "sub": "",
        "aud": _SERVICE,
        "exp": now + 300,
        "nbf": now - 10,
        "iat": now,
        "jti": "1",
        "access": [{"type": kind, "name": name, "actions": actions.split(",")}],
    }
    signed = ".".join(_base64url(json.dumps(part).encode()) for part in (header, claims))
    der = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", str(signer.key)],
        input=signed.encode(),
        check=True,
        capture_output=True,
    ).stdout
    return f"{signed}.{_base64url(_raw_signature(der))}"


def _raw_signature(der: bytes) -> bytes:
    """Turn the two numbers of an ECDSA signature from DER into what JWS wants (RFC 7518, 3.4)."""
    first = der[4 : 4 + der[3]]
    second = der[6 + der[3] :]
    return b"".join(int.from_bytes(part).to_bytes(32) for part in (first, second))


@pytest.mark.parametrize(
    ("pair", "name", "reason"),
    [
        ("user:s3cret", "team/app:1", Reason.FOUND),
        ("user:s3cret", "team/app:2", Reason.NOT_FOUND),
        ("user:s3cret", "team/gone:1", Reason.NOT_FOUND),
        ("user:wrong", "team/app:1", Reason.UNAUTHORIZED),
        ("", "team/app:1", Reason.UNAUTHORIZED),
        ("", "public/gone:1", Reason.NOT_FOUND),
    ],
)
def test_tokens(
    images: tuple[Path, str],
    authority: Authority,
    tmp_path: Path,
    pair: str,
    name: str,
    reason: Reason,
) -> None:
    signer = authority.server("signer", [], ["signer.example"])

    def give(request: Request) -> bytes:
        query = dict(parse_qsl(urlsplit(request.target).query))
        assert query["service"] == _SERVICE
        is_public = query["scope"].startswith("repository:public/")
        if not is_public and request.headers.get("authorization") != _BASIC:
            return response(401)
        token = {"token": _token(signer, query["scope"])}
        return response(200, {"content-type": "application/json"}, json.dumps(token).encode())

    async def scenario() -> None:
        async with serving(routed(give)) as tokens:
            auth = (
                f"auth: {{token: {{realm: 'http://{tokens.address}/token', issuer: {_ISSUER}, "
                f"service: '{_SERVICE}', rootcertbundle: {authority.pair.certificate}}}}}\n"
            )
            with registry(tmp_path, images[0], auth) as address:
                checker = Checker({address: PLAIN}, keyring(address, pair))
                image = f"{address}/{name}"
                verdict = (await checker.check([image]))[image]
                await checker.aclose()
        assert verdict.reason is reason, verdict
        assert (verdict.outcome is Outcome.DENIED) is (reason is Reason.UNAUTHORIZED)

    run(scenario)


def test_down(images: tuple[Path, str], tmp_path: Path) -> None:
    with registry(tmp_path, images[0]) as address:
        pass
    image = f"{address}/team/app:1"
    verdicts = asyncio.run(Checker({address: PLAIN}).check([image]))
    assert verdicts[image].reason is Reason.REFUSED
