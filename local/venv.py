"""The Python environment of the project: its pinned, hashed requirements, installed once."""

import hashlib
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from local.command import run_logged
from local.errors import Unavailable
from local.folders import cache_folder
from local.once import locked
from local.outcome import exit_code
from local.progress import Step

_REQUIREMENTS = Path(__file__).parent.parent / "requirements-dev.txt"
_OLDEST = (3, 11)


def ensure() -> Path:
    """Return the folder of the virtual environment, making it first where it is not there yet.

    It lies in the cache, under a key of the requirements and of this Python, so that all checkouts
    with the same requirements share it. The project's own packages are not in it: they are found
    by PYTHONPATH.

    Returns:
        The folder; its ``bin`` belongs on PATH.

    Raises:
        Unavailable: This Python is too old, or cannot make virtual environments.
        Failed: The requirements cannot be installed.
    """
    if sys.version_info < _OLDEST:
        wanted = ".".join(map(str, _OLDEST))
        raise Unavailable(f"Python {wanted} or newer is needed, and python3 is {sys.version}.")
    folder = cache_folder() / f"venv-{_key()}"
    complete = folder / ".complete"
    if complete.exists():
        return folder
    if find_spec("ensurepip") is None:
        raise Unavailable("python3 lacks the module venv. To install it: apt install python3-venv")
    with locked(folder.with_suffix(".lock"), "installing Python packages"):
        if not complete.exists():
            # Not made under another name and renamed: its programs hold its path.
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder)
            complete.touch()
    return folder


def _key() -> str:
    key = hashlib.sha256(_REQUIREMENTS.read_bytes())
    key.update(f"{sys.version}\0{sys.base_prefix}".encode())
    return key.hexdigest()[:12]


def _make(folder: Path) -> None:
    log = folder.with_suffix(".log")
    log.unlink(missing_ok=True)
    with Step("installing Python packages") as step:
        run_logged([sys.executable, "-m", "venv", folder], log, step)
        pip: list[str | Path] = [
            folder / "bin" / "python",
            "-m",
            "pip",
            "--disable-pip-version-check",
            "install",
        ]
        run_logged([*pip, "--require-hashes", "-r", _REQUIREMENTS], log, step)


def main() -> int:
    """Print the folder of the environment; gives the exit code of `outcome.exit_code`."""

    def work() -> int:
        print(ensure())
        return 0

    return exit_code(work)


if __name__ == "__main__":
    sys.exit(main())
