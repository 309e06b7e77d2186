"""The tools that the local cluster and Pulumi need: taken from PATH where they fit, else built."""

import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local import plugins, recipes
from local.command import output
from local.errors import Failed
from local.golang import Recipe
from local.interruption import interruptible

Version = tuple[int, int, int]

KUBERNETES_DAEMONS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
)
_PULUMI_AT_LEAST: Version = (3, 200, 0)
_, _MINOR, _ = (int(part) for part in recipes.KUBERNETES.split("."))


def _same_minor(version: Version) -> bool:
    return version[:2] == (1, _MINOR)


def _minor_beside(version: Version) -> bool:
    """Apply Kubernetes' version skew policy: kubectl may be one minor older or newer."""
    return version[0] == 1 and abs(version[1] - _MINOR) <= 1


def _recent_pulumi(version: Version) -> bool:
    return version[0] == 3 and version >= _PULUMI_AT_LEAST


@dataclass(frozen=True)
class Tool:
    """A tool, how to tell whether one on PATH fits, and how to build it otherwise.

    Attributes:
        recipe: How it is built.
        version_arguments: What makes it print its version.
        fits: Whether a version fits.
    """

    recipe: Recipe
    version_arguments: tuple[str, ...]
    fits: Callable[[Version], bool]

    def on_path(self) -> Path | None:
        """Look for it on PATH.

        Returns:
            Its path; None where there is none, or none that works and fits.
        """
        found = shutil.which(self.recipe.name)
        if not found:
            return None
        try:
            printed = output([found, *self.version_arguments], timeout=10)
        except Failed:
            return None
        match = re.search(r"\bv?(\d+)\.(\d+)\.(\d+)", printed)
        if not match:
            return None
        major, minor, patch = (int(part) for part in match.groups())
        return Path(found) if self.fits((major, minor, patch)) else None


TOOLS = (
    *(Tool(recipes.kubernetes(name), ("--version",), _same_minor) for name in KUBERNETES_DAEMONS),
    Tool(recipes.kubernetes("kubectl"), ("version", "--client"), _minor_beside),
    Tool(recipes.PULUMI_ENGINE, ("version",), _recent_pulumi),
)


@dataclass(frozen=True)
class Toolchain:
    """Tools that are there and fit.

    Attributes:
        paths: Each tool's path, by its name.
        pulumi_home: Pulumi's own folder, holding the resource plugins.
        search: Folders that have to be on PATH.
    """

    paths: Mapping[str, Path]
    pulumi_home: Path
    search: tuple[Path, ...]

    def environment(self) -> dict[str, str]:
        """Return the environment in which pulumi and kubectl are these.

        Returns:
            A copy of this process's environment with PATH and PULUMI_HOME set.
        """
        search = [str(folder) for folder in self.search]
        path = [part for part in os.environ.get("PATH", "").split(os.pathsep) if part not in search]
        return {
            **os.environ,
            "PATH": os.pathsep.join([*search, *path]),
            "PULUMI_HOME": str(self.pulumi_home),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }


def ensure() -> Toolchain:
    """Find every tool, building what is missing.

    Returns:
        The tools.

    Raises:
        Unavailable: A tool is missing and cannot be built on this machine.
        Failed: A build failed.
    """
    with interruptible():
        return _found_or_built()


def _found_or_built() -> Toolchain:
    found = {tool.recipe.name: tool.on_path() for tool in TOOLS}
    engine = found[recipes.PULUMI_ENGINE.name]
    wanted = [tool.recipe for tool in TOOLS if found[tool.recipe.name] is None]
    # The engine's build takes the language host in, so the host comes first.
    if engine is None or not _has_language_host(engine):
        wanted.insert(0, recipes.PULUMI_LANGUAGE_PYTHON)
    fetched = plugins.fetched(engine) if engine else None
    if fetched is None:
        wanted += [plugin.recipe for plugin in plugins.PLUGINS]
    missing = [recipe for recipe in wanted if not recipe.built]
    built = {}
    for recipe in wanted:
        position = f"[{missing.index(recipe) + 1}/{len(missing)}]" if recipe in missing else ""
        built[recipe.name] = recipe.build(position)
    paths = {name: path or built[name] for name, path in found.items()}
    engine = paths[recipes.PULUMI_ENGINE.name]
    home = fetched or plugins.installed(engine)
    # Tools found on PATH are there already; of the built ones, these are not only for the cluster.
    names = [recipes.PULUMI_ENGINE.name, "kubectl"]
    if not _has_language_host(engine):
        names.append(recipes.PULUMI_LANGUAGE_PYTHON.name)
    return Toolchain(paths, home, tuple(built[name].parent for name in names if name in built))


def _has_language_host(engine: Path) -> bool:
    return (engine.resolve().parent / recipes.PULUMI_LANGUAGE_PYTHON.name).is_file()
