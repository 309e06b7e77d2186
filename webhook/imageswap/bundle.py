"""Packs the server and its pure-Python dependencies into one zipapp with reproducible bytes."""

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path

# What each package brings that the server never imports. The server runs h11 on asyncio, and
# uvicorn's own command line never runs.
_LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "imageswap": (
        "__main__.py",
        "bundle.py",
        "pack.py",
        "cli/check.py",
        "cli/diff.py",
        "cli/explain.py",
        "cli/image_list.py",
        "cli/images.py",
        "cli/layers.py",
        "cli/main.py",
        "cli/manifests.py",
        "cli/mirror_list.py",
        "cli/output.py",
        "cli/swap.py",
        "cli/workloads.py",
    ),
    "uvicorn": (
        "__main__.py",
        "workers.py",
        "loops/uvloop.py",
        "loops/zuvloop.py",
        "protocols/http/*zttp*.py",
        "protocols/http/httptools_impl.py",
        "protocols/websockets/*_impl.py",
        "supervisors/watchfilesreload.py",
    ),
    "h11": ("tests/*",),
    "prometheus_client": ("bridge/*", "twisted/*"),
    "click": ("_winconsole.py", "_termui_impl.py", "testing.py", "shell_completion.py"),
}
_MAIN = "import sys\n\nfrom imageswap.cli.serve import main\n\nsys.exit(main())\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Bundle:
    """A zipapp: its bytes, and the SHA-256 of what it holds in hexadecimal.

    The digest is of the files and not of the archive, which another build of zlib may compress
    otherwise.
    """

    content: bytes
    digest: str


def build() -> Bundle:
    """Pack the server from the packages as they are installed.

    Gives a zipapp for ``python3 FILE``; the same sources give the same bytes. Raises
    ``ModuleNotFoundError`` where a dependency is not installed.
    """
    files = dict(sorted({**_sources(), "__main__.py": _MAIN.encode()}.items()))
    digest = hashlib.sha256()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped:
        for name, content in files.items():
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, on every machine
            entry.external_attr = 0o644 << 16
            zipped.writestr(entry, content)
    return Bundle(archive.getvalue(), digest.hexdigest())


def _sources() -> dict[str, bytes]:
    return {
        f"{package}/{name}": path.read_bytes()
        for package, left_out in _LEFT_OUT.items()
        for name, path in _modules(package)
        if not any(fnmatchcase(name, pattern) for pattern in left_out)
    }


def _modules(package: str) -> Iterator[tuple[str, Path]]:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"the bundle needs the package {package}, which is not installed")
    root = Path(next(iter(spec.submodule_search_locations)))
    for path in root.rglob("*.py"):
        yield path.relative_to(root).as_posix(), path
