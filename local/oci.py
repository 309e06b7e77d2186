"""Writing container images as OCI image layouts, with nothing but the standard library.

The formats are those of the OCI image specification 1.0: image-layout, index, manifest and config.
"""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# An image of the same content has the same digest whenever it is written.
_CREATED = "1970-01-01T00:00:00Z"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Image:
    """What an image says about the containers made from it.

    Attributes:
        environment: Their environment, each as ``NAME=value``.
        entrypoint: The start of their command line.
        command: The rest of it, which a Pod may replace.
        user: The user they run as; root where it is empty.
    """

    environment: Sequence[str] = ()
    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    user: str = field(default="")


class _HashingWriter(io.RawIOBase):
    """A binary stream that passes on what is written and digests it."""

    def __init__(self, target: BinaryIO | gzip.GzipFile) -> None:
        super().__init__()
        self._target = target
        self._digest = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        self._digest.update(data)
        written = self._target.write(data)
        self.size += written
        return written

    @property
    def digest(self) -> str:
        return f"sha256:{self._digest.hexdigest()}"


def write_layout(folder: Path, tree: Path, image: Image, tag: str, machine: str) -> None:
    """Write an image of one layer as an OCI image layout.

    Args:
        folder: The folder to write, which must not exist.
        tree: The root of the files that become the layer.
        image: What the image says about its containers.
        tag: The name of the image within the layout.
        machine: The machine it runs on, as ``platform.machine()`` calls it.
    """
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    layer, diff_id = _write_layer(blobs, tree)
    platform = {"architecture": _ARCHITECTURES.get(machine, machine), "os": "linux"}
    config = _write_json(
        blobs,
        "application/vnd.oci.image.config.v1+json",
        {
            "created": _CREATED,
            **platform,
            "config": {
                "Env": list(image.environment),
                "Entrypoint": list(image.entrypoint),
                "Cmd": list(image.command),
                "User": image.user,
            },
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
            "history": [{"created": _CREATED, "created_by": "pulumi-imageswap"}],
        },
    )
    manifest = _write_json(
        blobs,
        "application/vnd.oci.image.manifest.v1+json",
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config,
            "layers": [layer],
        },
    )
    entry = {
        **manifest,
        "platform": platform,
        "annotations": {"org.opencontainers.image.ref.name": tag},
    }
    _dump(folder / "index.json", {"schemaVersion": 2, "manifests": [entry]})
    _dump(folder / "oci-layout", {"imageLayoutVersion": "1.0.0"})


def _write_layer(blobs: Path, tree: Path) -> tuple[dict[str, Any], str]:
    """Write a folder as a compressed layer; return its descriptor and its uncompressed digest."""
    temporary = blobs / "layer"
    with temporary.open("wb") as file:
        packed = _HashingWriter(file)
        # No name and no time, which gzip would otherwise write into the file.
        with gzip.GzipFile("", "wb", 6, packed, mtime=0) as compressed:
            plain = _HashingWriter(compressed)
            with tarfile.open(mode="w|", fileobj=plain, format=tarfile.PAX_FORMAT) as archive:
                archive.add(tree, arcname=".", filter=_entry)
    temporary.rename(blobs / packed.digest.removeprefix("sha256:"))
    descriptor = {
        "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
        "digest": packed.digest,
        "size": packed.size,
    }
    return descriptor, plain.digest


def _entry(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    # The runtime brings its own devices; sockets and the like have no meaning in an image.
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        return None
    # Numbers are what counts in an image. Times are kept, as compiled Python files record those of
    # their sources, but in whole seconds.
    member.uname = member.gname = ""
    member.mtime = int(member.mtime)
    return member


def _write_json(blobs: Path, media_type: str, content: dict[str, Any]) -> dict[str, Any]:
    data = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(data).hexdigest()
    (blobs / digest).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}


def _dump(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, sort_keys=True), encoding="utf-8")
