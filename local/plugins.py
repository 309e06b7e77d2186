"""Pulumi's resource plugins, in a home folder of their own in the cache.

Installed there and not put on PATH, as the engine warns of each plugin that it takes from PATH.
"""

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local import folders, recipes
from local.errors import Failed
from local.golang import Recipe
from local.once import made_once
from local.progress import say

_DOWNLOAD_SECONDS = 90.0
_INSTALL_SECONDS = 120.0


@dataclass(frozen=True)
class Plugin:
    """A resource plugin.

    Attributes:
        name: Its name to the engine.
        version: Its version, the one that the Python SDK asks for.
        recipe: How it is built.
    """

    name: str
    version: str
    recipe: Recipe


PLUGINS = (
    Plugin("kubernetes", recipes.KUBERNETES_PLUGIN, recipes.PULUMI_RESOURCE_KUBERNETES),
    Plugin("tls", recipes.TLS_PLUGIN, recipes.PULUMI_RESOURCE_TLS),
)


def fetched(engine: Path) -> Path | None:
    """Let the engine download the released plugins.

    Only tried with an engine from PATH: where Pulumi's downloads are out of reach, the engine had
    to be built too. Not tried again once the plugins were built because it failed.

    Args:
        engine: The pulumi program.

    Returns:
        The home folder that holds them; None where they cannot be downloaded here.
    """

    def download(home: Path) -> None:
        for plugin in PLUGINS:
            say(f"downloading the Pulumi plugin {plugin.name} {plugin.version}")
            _install(engine, home, plugin, [], _DOWNLOAD_SECONDS)

    released = _homes() / f"released-{'-'.join(plugin.version for plugin in PLUGINS)}"
    if not released.is_dir() and all(plugin.recipe.built for plugin in PLUGINS):
        return None
    try:
        return made_once(released, download)
    except Failed as error:
        say(f"{error}; building the plugins instead")
        return None


def installed(engine: Path) -> Path:
    """Install the plugins that were built here.

    Args:
        engine: The pulumi program.

    Returns:
        The home folder that holds them.

    Raises:
        Failed: The engine refuses one.
    """

    def install(home: Path) -> None:
        for plugin in PLUGINS:
            binary = plugin.recipe.binaries / plugin.recipe.name
            _install(engine, home, plugin, ["--file", binary], _INSTALL_SECONDS)

    keys = hashlib.sha256("".join(plugin.recipe.key for plugin in PLUGINS).encode())
    return made_once(_homes() / f"built-{keys.hexdigest()[:12]}", install)


def _homes() -> Path:
    return folders.cache_folder() / "pulumi-home"


def _install(
    engine: Path, home: Path, plugin: Plugin, source: list[str | Path], limit: float
) -> None:
    command = [engine, "plugin", "install", "resource", plugin.name, plugin.version, *source]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "PULUMI_HOME": str(home), "PULUMI_SKIP_UPDATE_CHECK": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"the Pulumi plugin {plugin.name} cannot be installed: {error}") from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Failed(f"the Pulumi plugin {plugin.name} cannot be installed: {reason}")
