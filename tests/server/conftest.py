"""The server under test, started for each test and ended after it."""

import subprocess
from collections.abc import Iterator

import pytest

from local.certificates import Authority
from tests.server.webhook import ENVIRONMENT, RULES, Files, Webhook, commands


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority") / "ca")


@pytest.fixture(scope="session")
def ways(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    return commands(tmp_path_factory.mktemp("bundle") / "imageswap.pyz")


@pytest.fixture
def files(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Files:
    files = Files(tmp_path_factory.mktemp("webhook"))
    files.rules.write_text(RULES)
    files.write_pair(authority)
    return files


@pytest.fixture(params=["source", "bundle"])
def command(request: pytest.FixtureRequest, ways: dict[str, list[str]]) -> list[str]:
    return ways[request.param]


@pytest.fixture
def options() -> list[str]:
    """More options for the server; a test may give its own."""
    return []


@pytest.fixture
def webhook(command: list[str], files: Files, options: list[str]) -> Iterator[Webhook]:
    process = subprocess.Popen(
        [*command, *files.options(), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    server = Webhook(process, files)
    try:
        server.wait_until_ready()
        yield server
    finally:
        process.kill()
        process.communicate()
