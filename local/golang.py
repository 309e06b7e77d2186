"""Building programs from pinned, checksummed Go modules."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local import folders
from local.command import output, run_logged
from local.errors import Failed, Unavailable
from local.once import made_once
from local.progress import Step

_FOLDERS = Path(__file__).parent / "go"


def _nothing(source: Path, step: Step, log: Path) -> None:
    """Stand for no extra work."""


@dataclass(frozen=True)
class Recipe:
    """How one program is built.

    Attributes:
        name: The program's name.
        folder: The folder in ``go/`` that holds its go.mod and go.sum.
        package: What ``go build`` is given there: a package path, or ``.`` for its main.go.
        variables: String variables that the linker sets, such as a version.
        prepare: Adds generated files to a copy of the folder before the build.
        finish: Adds files beside the built program.
        finish_key: Changes when what ``finish`` adds changes.
    """

    name: str
    folder: str
    package: str = "."
    variables: Sequence[tuple[str, str]] = ()
    prepare: Callable[[Path, Step, Path], None] = _nothing
    finish: Callable[[Path, Step, Path], None] = _nothing
    finish_key: str = field(default="")

    @property
    def flags(self) -> list[str]:
        """The flags of its ``go build``."""
        linked = "".join(f" -X {name}={value}" for name, value in self.variables)
        return ["-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", f"-s -w{linked}"]

    @property
    def key(self) -> str:
        """A digest of everything that decides what is built."""
        source = _FOLDERS / self.folder
        digest = hashlib.sha256(repr((self.package, self.flags, self.finish_key)).encode())
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            digest.update(f"\0{path.relative_to(source)}\0".encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()[:12]

    @property
    def binaries(self) -> Path:
        """The folder in the cache that holds the program once it is built."""
        return self._home / "bin"

    @property
    def built(self) -> bool:
        """Whether it is in the cache already."""
        return self.binaries.is_dir()

    @property
    def _home(self) -> Path:
        return folders.cache_folder() / "toolchain" / f"{self.name}-{self.key}"

    def build(self, position: str) -> Path:
        """Build it into the cache, where it is not there yet.

        Args:
            position: Where this is in a row of builds, such as ``[3/8]``.

        Returns:
            The program's path.

        Raises:
            Failed: The compiler failed.
            Unavailable: There is no Go that can build it.
        """

        def make(folder: Path) -> None:
            log = folders.cache_folder() / "logs" / f"build-{self.name}.log"
            log.unlink(missing_ok=True)
            source = folder / "source"
            # A copy, as a checkout may be read-only and some builds need generated files.
            shutil.copytree(_FOLDERS / self.folder, source)
            check_go(source)
            with Step(f"{position} building {self.name}") as step:
                self.prepare(source, step, log)
                try:
                    compile_in(source, self, folder / "bin" / self.name, step, log)
                except Failed as error:
                    raise Failed(
                        f"{self.name} could not be built. {error}\n"
                        "If it was the network or a full disk, mend that and run this again: what "
                        "is compiled stays compiled. Otherwise put a fitting "
                        f"{self.name} on PATH; local/README.md says which versions fit."
                    ) from error
                self.finish(folder / "bin", step, log)
            shutil.rmtree(source)

        made_once(self._home, make)
        return self.binaries / self.name


def compile_in(source: Path, recipe: Recipe, target: Path, step: Step, log: Path) -> None:
    """Run ``go build`` in a copy of a recipe's folder.

    Args:
        source: The copy.
        recipe: What to build.
        target: The program to write.
        step: The progress to show.
        log: Where the compiler's output goes.

    Raises:
        Failed: The compiler failed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    run_logged(
        ["go", "build", *recipe.flags, "-o", target, recipe.package],
        log,
        step,
        folder=source,
        environment=_go_environment(),
    )


def module_folder(folder: str, module: str, step: Step, log: Path) -> Path:
    """Download a module and return where its files are.

    Args:
        folder: The folder in ``go/`` whose go.mod and go.sum pin it.
        module: The module's path.
        step: The progress to show.
        log: Where the output of ``go`` goes.

    Returns:
        The module's folder in Go's own cache of modules.

    Raises:
        Failed: It cannot be downloaded or is not what go.sum says.
    """
    source = _FOLDERS / folder
    run_logged(
        ["go", "mod", "download", module],
        log,
        step,
        folder=source,
        environment=_go_environment(),
    )
    listed = json.loads(
        output(["go", "-C", source, "list", "-mod=readonly", "-m", "-json=Dir", module])
    )
    return Path(listed["Dir"])


def check_go(folder: Path) -> None:
    """Make sure that there is a Go new enough for a folder's go.mod.

    Args:
        folder: A folder with a go.mod.

    Raises:
        Unavailable: There is none.
    """
    needed = next(
        line.split()[1]
        for line in (folder / "go.mod").read_text(encoding="utf-8").splitlines()
        if line.startswith("go ")
    )
    advice = (
        f"Install Go {needed} or newer and put it on PATH, or put the missing tools themselves on "
        "PATH; local/README.md lists them."
    )
    if not shutil.which("go"):
        raise Unavailable(f"There is no Go to build the tools with. {advice}")
    try:
        # In that folder, as an older Go then either fetches the newer one or says that it cannot.
        subprocess.run(
            ["go", "list", "-m"],
            cwd=folder,
            env=_go_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        reason = str(error.stderr).strip()
        raise Unavailable(f"Go cannot build the tools: {reason}. {advice}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"Go does not work: {error}. {advice}") from error


def _go_environment() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}
