"""Building the webhook's image without Docker, into the registry of a local cluster.

``python3 -m local.build`` builds ``webhook/Dockerfile`` by buildah, on the Python image that every
cluster starts with. What the Dockerfile would download is put beside it: the wheels, taken by this
machine's pip with this machine's settings, and pip itself, which Debian's Python lacks.
"""

import argparse
import hashlib
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local import debian, folders, images, machine, venv
from local.cluster import Cluster
from local.command import run_logged
from local.instance import DEFAULT, NAMES
from local.interruption import interruptible
from local.once import locked, made_once
from local.outcome import exit_code
from local.progress import Step

REPOSITORY = "hub/imageswap"
_TAG = "dev"
_CONTEXT = Path(__file__).parent.parent / "webhook"
_REQUIREMENTS = _CONTEXT / "requirements-image.txt"
_PACKAGE = "buildah"
# PEP 600: wheels for this glibc or an older one run on the image's, which is 2.36.
_LIBC = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
# Where buildah remembers which registry has which layer, wherever its storage is.
_MEMORY = Path("/var/lib/containers")
_HIDING_ITS_MEMORY = 'mount --bind "$0" "$1" && shift && exec "$@"'


def build(cluster: Cluster, tag: str = _TAG) -> str:
    """Build the webhook's image and push it to a cluster's registry.

    Args:
        cluster: The cluster, which must be up.
        tag: The tag to give the image.

    Returns:
        The image's reference, as a Pod of the cluster names it.

    Raises:
        Unavailable: This machine cannot build it; the message says why.
        Failed: It cannot be built or pushed.
    """
    with interruptible():
        machine.check()
        debian.provide(_missing)
        wheels = made_once(folders.cache_folder() / f"wheels-{_key()}", _download)
        reference = f"{cluster.registry}/{REPOSITORY}:{tag}"
        log = folders.cache_folder() / "logs" / "build.log"
        with _work_folder() as work, Step(f"building {reference}") as step:
            log.unlink(missing_ok=True)
            context = work / "context"
            shutil.copytree(_CONTEXT, context, ignore=shutil.ignore_patterns("__pycache__"))
            shutil.copytree(wheels, context / "wheels", dirs_exist_ok=True)
            arguments = {
                "PYTHON_IMAGE": f"{cluster.registry}/{images.PYTHON.reference}",
                "PIP_NO_INDEX": "1",
                # Only so that buildah does not warn of it.
                "PIP_INDEX_URL": "",
            }
            plain_http = "--tls-verify=false"
            buildah = _Buildah(work, log, step, cluster.environment())
            buildah.run(
                "bud",
                "--isolation=chroot",
                plain_http,
                *(f"--build-arg={name}={value}" for name, value in arguments.items()),
                f"--tag={reference}",
                str(context),
            )
            buildah.run("push", plain_http, reference)
    return reference


class _Buildah:
    """buildah that leaves nothing outside a folder: neither files nor mounts nor processes."""

    def __init__(self, work: Path, log: Path, step: Step, environment: Mapping[str, str]) -> None:
        self._work = work
        self._log = log
        self._step = step
        self._environment = {
            **environment,
            "PATH": f"{environment['PATH']}:{debian.search_path()}",
            "TMPDIR": str(work),
        }
        self._memory = work / "memory"
        self._memory.mkdir()

    def run(self, *arguments: str) -> None:
        """Run one of its commands.

        Args:
            arguments: The command and its arguments.

        Raises:
            Failed: The command fails.
        """
        run_logged(
            [
                debian.program("unshare"),
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "sh",
                "-ceu",
                _HIDING_ITS_MEMORY,
                self._memory,
                _MEMORY,
                debian.program(_PACKAGE),
                # The driver that works on every file system, and in a container too.
                "--storage-driver=vfs",
                f"--root={self._work / 'storage'}",
                f"--runroot={self._work / 'run'}",
                *arguments,
            ],
            self._log,
            self._step,
            environment=self._environment,
        )


@contextmanager
def _work_folder() -> Iterator[Path]:
    """Give a folder for one build, and the place to hide buildah's memory; both go afterwards."""
    cache = folders.cache_folder()
    with locked(cache / ".build.lock", "building the webhook's image"):
        # Only the holder of the lock makes such folders: older ones are of killed processes.
        for stale in cache.glob(".build.tmp-*"):
            shutil.rmtree(stale, ignore_errors=True)
        is_new = not _MEMORY.exists()
        work = Path(tempfile.mkdtemp(prefix=".build.tmp-", dir=cache))
        try:
            _MEMORY.mkdir(exist_ok=True)
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)
            if is_new:
                _MEMORY.rmdir()


def _key() -> str:
    digest = hashlib.sha256(f"{platform.machine()}\0{images.PYTHON.tag}\0".encode())
    for source in (Path(__file__), _REQUIREMENTS):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def _download(folder: Path) -> None:
    """Download the wheels for the image's Python, which need not be this one; add pip itself."""
    python = venv.ensure()
    version = images.PYTHON.tag.partition("-")[0]
    abi = f"cp{version.replace('.', '')}"
    log = folders.cache_folder() / "logs" / "wheels.log"
    log.unlink(missing_ok=True)
    with Step("downloading the image's Python packages") as step:
        run_logged(
            [
                python / "bin" / "python",
                "-m",
                "pip",
                "--disable-pip-version-check",
                "download",
                "--require-hashes",
                "--no-deps",
                "--only-binary=:all:",
                f"--python-version={version}",
                "--implementation=cp",
                *(f"--abi={tag}" for tag in (abi, "abi3", "none")),
                *(f"--platform={libc}_{platform.machine()}" for libc in _LIBC),
                f"--requirement={_REQUIREMENTS}",
                f"--dest={folder}",
            ],
            log,
            step,
        )
    (pip,) = python.glob("lib/python3*/site-packages/pip")
    shutil.copytree(pip, folder / "pip", ignore=shutil.ignore_patterns("__pycache__"))


def _missing() -> list[str]:
    return [] if shutil.which(_PACKAGE, path=debian.search_path()) else [_PACKAGE]


def main() -> int:
    """Build, and print the image's reference.

    Returns:
        The exit code: 0 when done, 1 when it failed, 3 when this machine cannot do it, 128 and the
        signal's number when interrupted.
    """
    parser = argparse.ArgumentParser(
        prog="python3 -m local.build",
        description="Build the webhook's image and push it to a cluster.",
    )
    parser.add_argument(
        "--name", choices=NAMES, default=DEFAULT, help="which cluster (default: %(default)s)"
    )
    parser.add_argument("--tag", default=_TAG, help="the image's tag (default: %(default)s)")
    options = parser.parse_args()

    def work() -> int:
        print(build(Cluster.named(options.name), options.tag))
        return 0

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
