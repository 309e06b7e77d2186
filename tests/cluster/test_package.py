"""The package as other programs use it: the wheel, in a virtual environment of its own."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cluster import Cluster
from tests.cluster.kubectl import Kubectl
from tests.cluster.stack import Stack

CHECKOUT = Path(__file__).parents[2]
PROGRAM = """\
import pulumi
import pulumi_kubernetes as k8s
from pulumi_imageswap import ImageSwap

cluster = k8s.Provider("edge", kubeconfig={kubeconfig!r})
swap = ImageSwap(
    "platform",
    {{
        "cluster": "gke",
        "image": "{hub}/python:3.11-slim",
        "rules": ["edge.map"],
        "missing_image": "swap",
    }},
    pulumi.ResourceOptions(provider=cluster),
)
pulumi.export("namespace", swap.namespace)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a clean virtual environment with the package installed from the checkout."""
    folder = tmp_path_factory.mktemp("package")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    install: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        CHECKOUT,
    ]
    subprocess.run(install, check=True)
    return python


@pytest.fixture
def stack(installed: Path, cluster: Cluster, tmp_path: Path, hub: str) -> Iterator[Stack]:
    """A program in a folder of its own that knows the cluster by an explicit provider only."""
    (tmp_path / "Pulumi.yaml").write_text("name: platform\nruntime: python\n")
    (tmp_path / "edge.map").write_text(f"default::\nquay.io::{hub}\n")
    program = PROGRAM.format(kubeconfig=cluster.kubeconfig.read_text(), hub=hub)
    (tmp_path / "__main__.py").write_text(program)
    environment = {**cluster.environment(), "KUBECONFIG": "/nonexistent"}
    stack = Stack(tmp_path, environment, python=installed)
    yield stack
    stack.destroy()


def test_ten_lines_deploy_it_with_an_explicit_provider(stack: Stack, kubectl: Kubectl) -> None:
    stack.up()
    assert stack.output("namespace") == "platform-system"
    pod = kubectl("run", "probe", "--image=quay.io/busybox:1.36", "--dry-run=server", "-o=name")
    assert pod == "pod/probe\n"
    image = ("-o=jsonpath={.spec.containers[0].image}", "--dry-run=server")
    swapped = kubectl("run", "probe", "--image=quay.io/busybox:1.36", *image)
    assert swapped.endswith("/hub/busybox:1.36")
    assert stack.changes() == {}


def test_command_of_the_installed_package(installed: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.map"
    rules.write_text("default::\ndocker.io::harbor.example/hub\n")
    command: list[str | Path] = [
        installed.with_name("imageswap"),
        "swap",
        "--rules",
        rules,
        "nginx:1.25",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "nginx:1.25\tharbor.example/hub/nginx:1.25\n"


def test_source_distribution_builds_the_same_wheel(tmp_path: Path) -> None:
    build: list[str | Path] = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--outdir",
        tmp_path,
        CHECKOUT,
    ]
    subprocess.run(build, check=True, capture_output=True)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".gz", ".whl"]
