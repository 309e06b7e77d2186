"""A real cluster for the session, started before and ended after, whatever happens between."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from local.cluster import Cluster
from local.errors import Unavailable
from local.folders import state_folder
from local.once import locked
from tests.cluster.kubectl import Kubectl

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.cluster)


@pytest.fixture(scope="session", autouse=True)
def _end_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end the session as Ctrl-C does: with the cluster taken down."""

    def stop(number: int, _: FrameType | None) -> None:
        raise KeyboardInterrupt(f"signal {number}")

    before = signal.signal(signal.SIGTERM, stop)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The local cluster `test`, empty at first."""
    cluster = Cluster.named("test")
    with locked(state_folder() / "test-session.lock", "the tests of another checkout"):
        try:
            cluster.down()
            cluster.up()
        except Unavailable as reason:
            if os.environ.get("CI"):
                pytest.fail(f"CI must run the cluster tests, and cannot: {reason}")
            pytest.skip(f"no local cluster on this machine: {reason}")
        try:
            yield cluster
        finally:
            cluster.down()


@pytest.fixture(scope="session")
def kubectl(cluster: Cluster) -> Kubectl:
    """Runs kubectl on the cluster."""
    return Kubectl(cluster.environment())


@pytest.fixture(scope="session")
def hub(cluster: Cluster) -> str:
    """Where the cluster's own registry holds its images."""
    return f"{cluster.registry}/hub"
