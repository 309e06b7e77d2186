"""Where things are kept outside the checkout: the cache of built things and the clusters' state."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder of things built once and reused.

    Returns:
        ``$IMAGESWAP_CACHE``, else ``pulumi-imageswap`` below ``$XDG_CACHE_HOME`` or ``~/.cache``.
    """
    return _folder("IMAGESWAP_CACHE", "XDG_CACHE_HOME", ".cache")


def state_folder() -> Path:
    """Return the folder that holds one folder for each cluster.

    Returns:
        ``$IMAGESWAP_STATE``, else ``pulumi-imageswap`` below ``$XDG_STATE_HOME`` or
        ``~/.local/state``.
    """
    return _folder("IMAGESWAP_STATE", "XDG_STATE_HOME", ".local/state")


def _folder(own: str, common: str, fallback: str) -> Path:
    if os.environ.get(own):
        return Path(os.environ[own]).absolute()
    # The XDG base directory specification: a relative path in such a variable is to be ignored.
    base = Path(os.environ.get(common, ""))
    if not base.is_absolute():
        base = Path.home() / fallback
    return base / "pulumi-imageswap"
