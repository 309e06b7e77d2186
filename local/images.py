"""The images that every cluster starts with, made once from Debian packages and then pushed."""

import hashlib
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from local import debian, folders, oci
from local.command import output, run_logged
from local.errors import Failed
from local.once import made_once
from local.progress import Step

_SUITE = "bookworm"
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Documentation, caches and logs, which no container needs.
_UNNEEDED = (
    "usr/share/doc",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/man",
    "var/cache",
    "var/lib/apt/lists",
    "var/log",
)
# Sleeps until it is told to end and, as the first process of a Pod, reaps what is left to it.
_PAUSE = "trap 'exit 0' TERM INT; while :; do /bin/busybox sleep 3600 & wait $!; done"


@dataclass(frozen=True)
class Stored:
    """An image kept in the cache.

    Attributes:
        repository: Its repository in a cluster's registry.
        tag: Its tag.
        image: What it says about its containers.
    """

    repository: str
    tag: str
    image: oci.Image

    @property
    def reference(self) -> str:
        """Its name without the registry's address."""
        return f"{self.repository}:{self.tag}"


PAUSE = Stored(
    "pause", "1", oci.Image(entrypoint=("/bin/busybox", "sh", "-c", _PAUSE), user="65535:65535")
)
PYTHON = Stored("hub/python", "3.11-slim", oci.Image((_PATH, "LANG=C.UTF-8"), command=("python3",)))
# Named as the sample asks for it; what is inside is the BusyBox of the Debian release.
BUSYBOX = Stored("hub/busybox", "1.36", oci.Image((_PATH,), command=("sh",)))
STORED = (PAUSE, PYTHON, BUSYBOX)


def ensure() -> Path:
    """Make the images, where they are not in the cache yet.

    Returns:
        The folder that holds their OCI layouts.

    Raises:
        Failed: They cannot be made.
    """
    return made_once(folders.cache_folder() / f"images-{_key()}", _make)


def layout(layouts: Path, stored: Stored) -> Path:
    """Return the OCI layout of one of the images, as `local.push.push` takes it.

    Args:
        layouts: The folder that `ensure` returned.
        stored: The image.

    Returns:
        The layout's folder.
    """
    return layouts / stored.repository.rpartition("/")[2]


def _key() -> str:
    digest = hashlib.sha256(platform.machine().encode())
    for source in (__file__, oci.__file__):
        digest.update(Path(source).read_bytes())
    return digest.hexdigest()[:12]


def _make(folder: Path) -> None:
    work = folder / "work"
    python = work / "python"
    busybox = work / "busybox"
    pause = work / "pause"
    work.mkdir()
    log = folders.cache_folder() / "logs" / "images.log"
    log.unlink(missing_ok=True)
    with Step("making the Python and BusyBox images from Debian packages") as step:
        _bootstrap(python, log, step)
        for tree in (busybox, pause):
            (tree / "bin").mkdir(parents=True)
            shutil.copy2(python / "usr" / "bin" / "busybox", tree / "bin" / "busybox")
        _finish_busybox(busybox)
        _finish_python(python, log, step)
        for stored, tree in ((PAUSE, pause), (PYTHON, python), (BUSYBOX, busybox)):
            step.tick()
            oci.write_layout(
                layout(folder, stored), tree, stored.image, stored.tag, platform.machine()
            )
        shutil.rmtree(work)


def _bootstrap(tree: Path, log: Path, step: Step) -> None:
    """Unpack and configure a small Debian with Python, and BusyBox to be taken out of it."""
    _isolated(
        [
            debian.program("debootstrap"),
            "--variant=minbase",
            "--include=python3,busybox-static",
            _SUITE,
            tree,
            *_mirror(),
        ],
        log,
        step,
    )


def _isolated(argv: list[str | Path], log: Path, step: Step) -> None:
    # Whatever happens to it, its mounts and processes end with its namespaces.
    unshare: list[str | Path] = [
        debian.program("unshare"),
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
    ]
    environment = {**os.environ, "PATH": debian.search_path(), "LC_ALL": "C"}
    run_logged([*unshare, *argv], log, step, environment=environment)


def _mirror() -> list[str]:
    """Return the Debian mirror that this machine's apt uses, if it is a Debian."""
    try:
        listed = output(
            ["apt-get", "indextargets", "--format", "$(REPO_URI)|$(ORIGIN)|$(LABEL)"], timeout=20
        )
    except Failed:
        return []
    fields = [line.split("|") for line in listed.splitlines()]
    return [uri for uri, origin, label in fields if origin == label == "Debian"][:1]


def _finish_python(tree: Path, log: Path, step: Step) -> None:
    _isolated(["chroot", tree, "dpkg", "--purge", "busybox-static"], log, step)
    for name in _UNNEEDED:
        for path in (tree / name).iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    # Where the well-known Python image has them, under both names.
    for name in ("python", "python3"):
        (tree / "usr" / "local" / "bin" / name).symlink_to("/usr/bin/python3")


def _finish_busybox(tree: Path) -> None:
    for applet in output([tree / "bin" / "busybox", "--list"]).split():
        if applet != "busybox":
            (tree / "bin" / applet).symlink_to("busybox")
    for name, mode in (("etc", 0o755), ("root", 0o700), ("tmp", 0o1777), ("var", 0o755)):
        (tree / name).mkdir()
        (tree / name).chmod(mode)
    (tree / "etc" / "passwd").write_text(
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n",
        encoding="utf-8",
    )
    (tree / "etc" / "group").write_text("root:x:0:\nnogroup:x:65534:\n", encoding="utf-8")
