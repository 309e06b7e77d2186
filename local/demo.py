"""``make up`` and ``make down``: a cluster, the dev stack on it, and a sample that is swapped."""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from local import toolchain, venv
from local.cluster import Cluster
from local.errors import Failed
from local.folders import state_folder
from local.outcome import exit_code
from local.progress import say

_CHECKOUT = Path(__file__).parent.parent
_STACK = "dev"
_STACK_FILE = _CHECKOUT / "stacks" / f"Pulumi.{_STACK}.yaml"
_SAMPLE_FILE = Path(__file__).with_name("sample.yaml")
_SAMPLE = "imageswap-sample"
_UNSWAPPED = f"{_SAMPLE}-unswapped"
# A public mirror of Docker Hub's official images, for clusters other than the local one.
_PUBLIC_MIRROR = "public.ecr.aws/docker/library"
_PALETTE_CHECK = "-o=jsonpath={.spec.template.spec.containers[0].image}"


class _Place:
    """A cluster to show the product on: how programs reach it, and where its stack is kept."""

    def __init__(
        self, environment: Mapping[str, str], context: str, folder: Path, settings: Path
    ) -> None:
        self.context = context
        self.folder = folder
        self._settings = settings
        packages = venv.ensure()
        paths = [str(packages / "bin"), environment["PATH"]]
        self.environment = {
            **environment,
            "PATH": os.pathsep.join(paths),
            "PYTHONPATH": f"{_CHECKOUT / 'components'}{os.pathsep}{_CHECKOUT / 'webhook'}",
            "PULUMI_BACKEND_URL": f"file://{folder}",
            # The passphrase that the salt in the dev stack's file belongs to.
            "PULUMI_CONFIG_PASSPHRASE": "",
        }

    def run(self, *argv: str | Path) -> None:
        """Run a program that shows its own output; an interruption is its own to handle."""
        print(f"\n$ {' '.join(map(str, argv))}", flush=True)
        process = subprocess.Popen(argv, cwd=_CHECKOUT, env=self.environment)

        def pass_on(number: int, _: FrameType | None) -> None:
            # A terminal sends SIGINT to the whole group; the others come to this process alone.
            if number != signal.SIGINT:
                process.send_signal(signal.SIGINT)

        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, pass_on) for number in numbers}
        try:
            code = process.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if code:
            raise Failed(f"{Path(argv[0]).name} ended with exit code {code}.")

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl and return what it prints."""
        done = subprocess.run(
            ["kubectl", "--context", self.context, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Failed(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def select_stack(self) -> None:
        """Make the stack, or free it of the lock of a killed pulumi: its state is ours alone."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for lock in self.folder.glob(".pulumi/locks/**/*.json"):
            lock.unlink()
        self.run("pulumi", "stack", "select", "--create", _STACK)

    def pulumi(self, command: str) -> None:
        """Run a command of pulumi that changes the stack."""
        options = ("--yes", "--skip-preview", "--stack", _STACK, "--config-file", self._settings)
        self.run("pulumi", command, *options)


def up() -> None:
    """Bring up what is missing, deploy the dev stack, and show the image of a sample swapped."""
    place = _open_place()
    place.select_stack()
    place.pulumi("up")
    _show_sample(place)


def down() -> None:
    """Undo all that ``up`` did."""
    if not os.environ.get("KUBE_CONTEXT"):
        Cluster.named("dev").down()
        say("The local cluster is gone, and all that was on it.")
        return
    place = _open_place()
    place.select_stack()
    place.kubectl("delete", "namespace", "--ignore-not-found", _SAMPLE, _UNSWAPPED)
    place.pulumi("destroy")
    shutil.rmtree(place.folder)


def _open_place() -> _Place:
    """Give the cluster, started where it is the local one, with the stack's settings for it."""
    cluster = Cluster.named("dev")
    context = os.environ.get("KUBE_CONTEXT")
    if not context:
        cluster.up()
        folder = cluster.folder / "pulumi"
        return _Place(cluster.environment(), cluster.context, folder, _STACK_FILE)
    scheme, _, mirror = os.environ.get("MIRROR", _PUBLIC_MIRROR).rpartition("://")
    say(
        f"Using the cluster {context}, with images from {mirror} (another: MIRROR=[http://]HOST/PATH)."
    )
    # A context's name may hold any character, an ARN's slashes among them.
    folder = state_folder() / "contexts" / re.sub(r"[^A-Za-z0-9.-]", "_", context)
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / _STACK_FILE.name
    text = _STACK_FILE.read_text("utf-8")
    text = text.replace(f"{cluster.registry}/hub", mirror)
    text = text.replace(cluster.registry, mirror.partition("/")[0])
    text = text.replace("scheme: http", f"scheme: {scheme or 'https'}")
    settings.write_text(f"{text}  kubernetes:context: {context}\n", "utf-8")
    return _Place(toolchain.ensure().environment(), context, folder, settings)


def _show_sample(place: _Place) -> None:
    place.kubectl("apply", "-f", str(_SAMPLE_FILE))
    place.kubectl(
        "rollout", "status", "deployment/sample", f"--namespace={_SAMPLE}", "--timeout=120s"
    )
    print("\nA Deployment of docker.io/library/busybox:1.36, twice:")
    for title, namespace in (
        ("before: in a namespace that opted out", _UNSWAPPED),
        ("after: in a namespace like any other", _SAMPLE),
    ):
        arguments = ("get", "deployment", "sample", f"--namespace={namespace}", _PALETTE_CHECK)
        print(f"\n{title}\n$ kubectl {' '.join(arguments)}")
        print(place.kubectl(*arguments))
    print("\nIts Pod runs from that image:")
    columns = "NAME:.metadata.name,STATUS:.status.phase,IMAGE:.status.containerStatuses[0].image"
    pods = ("get", "pods", f"--namespace={_SAMPLE}", f"--output=custom-columns={columns}")
    print(place.kubectl(*pods))


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``up`` or ``down``; gives the exit code of `outcome.exit_code`."""
    parser = argparse.ArgumentParser(prog="python3 -m local.demo", description=__doc__)
    parser.add_argument("command", choices=("up", "down"))
    command = {"up": up, "down": down}[parser.parse_args(argv).command]

    def work() -> int:
        command()
        return 0

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
