"""`--missing-image=source`: the target's registry is asked before an image is swapped."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.server.test_reload import metric
from tests.server.webhook import ENVIRONMENT, Files, Webhook, patched, pod


class Registry(ThreadingHTTPServer):
    """A registry on loopback that answers by the name of the image."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        assert isinstance(self.server, Registry)
        self.server.asked.append(self.path)
        image = self.path.split("/")[-3]
        if image == "slow":
            time.sleep(5)
        status = {"there": 200, "forbidden": 403, "broken": 500}.get(image, 404)
        self.send_response(status)
        self.send_header("content-type", "application/vnd.oci.image.manifest.v1+json")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as registry:
        thread = threading.Thread(target=registry.serve_forever, args=(0.05,))
        thread.start()
        yield registry
        registry.shutdown()
        thread.join()


@pytest.fixture
def options(registry: Registry, files: Files) -> list[str]:
    files.rules.write_text(f"default::\ndocker.io::{registry.name}/hub\n")
    settings = files.folder / "registries.json"
    settings.write_text(json.dumps({registry.name: {"scheme": "http"}}))
    return ["--missing-image=source", f"--registries={settings}"]


def test_only_what_is_there_is_swapped_to(webhook: Webhook, registry: Registry) -> None:
    response = webhook.review(pod("there", "absent:1", "quay.io/other"))
    assert patched(response) == [f"{registry.name}/hub/there"]
    (warning,) = response["warnings"]
    assert warning.startswith("c1: absent:1 is kept: ")
    assert sorted(registry.asked) == [
        "/v2/hub/absent/manifests/1",
        "/v2/hub/there/manifests/latest",
    ]
    fallbacks = f'imageswap_fallbacks_total{{reason="not_found",registry="{registry.name}"}}'
    assert metric(fallbacks) == 1


def test_answers_are_remembered(webhook: Webhook, registry: Registry) -> None:
    for _ in range(3):
        assert patched(webhook.review(pod("there"))) == [f"{registry.name}/hub/there"]
    assert len(registry.asked) == 1


def test_what_the_node_may_have_rights_to_is_swapped_to(
    webhook: Webhook, registry: Registry
) -> None:
    assert patched(webhook.review(pod("forbidden"))) == [f"{registry.name}/hub/forbidden"]
    unchecked = (
        f'imageswap_unchecked_swaps_total{{reason="unauthorized",registry="{registry.name}"}}'
    )
    assert metric(unchecked) == 1


@pytest.mark.parametrize("image", ["broken", "slow"])
def test_registry_that_fails_delays_by_a_second_at_most(webhook: Webhook, image: str) -> None:
    webhook.review(pod("quay.io/other"))
    started = time.monotonic()
    assert patched(webhook.review(pod(image))) == []
    assert time.monotonic() - started < 1.3


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("registries", "{", "it is not JSON"),
        ("registries", '{"h.io": {"CA": ""}}', "h.io: `CA` is not a setting"),
        ("registries", '{"h.io": {"scheme": "ftp"}}', "h.io: the scheme is `https` or `http`"),
        ("registries", '{"h.io": {"ca": "x"}}', "h.io: the CA is not"),
        ("registry-credentials", "{", "JSON"),
    ],
)
def test_does_not_start_with_wrong_settings(
    ways: dict[str, list[str]], files: Files, tmp_path: Path, name: str, content: str, says: str
) -> None:
    file = tmp_path / "settings"
    file.write_text(content)
    options = [*files.options(), "--missing-image=source", f"--{name}={file}"]
    done = subprocess.run(
        [*ways["source"], *options], capture_output=True, text=True, timeout=20, env=ENVIRONMENT
    )
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
