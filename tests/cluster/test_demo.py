"""`make up` and `make down` on a cluster that is there already, named by KUBE_CONTEXT."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.cluster import Cluster
from tests.cluster.kubectl import Kubectl
from tests.cluster.test_palette import objects

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def environment(cluster: Cluster, tmp_path: Path, hub: str) -> dict[str, str]:
    return {
        **os.environ,
        **cluster.environment(),
        "IMAGESWAP_STATE": str(tmp_path),
        "KUBE_CONTEXT": cluster.context,
        "MIRROR": f"http://{hub}",
    }


def make(target: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "local.demo", target]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_up_shows_a_swapped_image_and_down_undoes_it(
    environment: dict[str, str], kubectl: Kubectl, hub: str
) -> None:
    before = objects(kubectl)
    try:
        shown = make("up", environment)
        check = "-o=jsonpath={.spec.template.spec.containers[0].image}"
        unswapped, swapped = (block.splitlines()[1] for block in shown.split(check)[1:3])
        assert (unswapped, swapped) == ("docker.io/library/busybox:1.36", f"{hub}/busybox:1.36")
        assert "Running" in shown.rpartition("STATUS")[2]
        resources = make("up", environment).partition("Resources:")[2].split()
        assert resources[1] == "unchanged"
    finally:
        make("down", environment)
    assert objects(kubectl) == before
