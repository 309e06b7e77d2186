"""Putting an image into a registry that speaks plain HTTP, on this machine.

The requests are those of the OCI distribution specification 1.0, "Pushing".
"""

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.errors import Failed

_SECONDS = 60.0


def push(layout: Path, registry: str, repository: str, tag: str) -> None:
    """Push the only image of an OCI image layout.

    Args:
        layout: The layout's folder.
        registry: The registry's address, such as ``10.201.0.2:5000``.
        repository: The repository to put it into.
        tag: The tag to give it.

    Raises:
        Failed: The registry does not take it.
    """
    index = json.loads((layout / "index.json").read_text(encoding="utf-8"))
    descriptor = index["manifests"][0]
    manifest = _blob(layout, descriptor).read_bytes()
    content = json.loads(manifest)
    connection = http.client.HTTPConnection(registry, timeout=_SECONDS)
    try:
        for part in (content["config"], *content["layers"]):
            _push_blob(connection, repository, part["digest"], _blob(layout, part))
        headers = {"Content-Type": descriptor["mediaType"]}
        _request(connection, "PUT", f"/v2/{repository}/manifests/{tag}", 201, manifest, headers)
    except (OSError, http.client.HTTPException) as error:
        raise Failed(f"{repository}:{tag} cannot be pushed to {registry}: {error}") from error
    finally:
        connection.close()


def _blob(layout: Path, descriptor: dict[str, Any]) -> Path:
    algorithm, _, digest = str(descriptor["digest"]).partition(":")
    return layout / "blobs" / algorithm / digest


def _push_blob(
    connection: http.client.HTTPConnection, repository: str, digest: str, blob: Path
) -> None:
    location = _request(connection, "POST", f"/v2/{repository}/blobs/uploads/", 202, b"", {})
    # The registry may answer with a whole URL or a path, and puts its state into the query.
    parts = urlsplit(location)
    query = f"{parts.query}&" if parts.query else ""
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(blob.stat().st_size),
    }
    with blob.open("rb") as body:
        _request(connection, "PUT", f"{parts.path}?{query}digest={digest}", 201, body, headers)


def _request(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    expected: int,
    body: Any,
    headers: dict[str, str],
) -> str:
    """Send a request; return where the answer points to."""
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    text = response.read().decode(errors="replace")
    if response.status != expected:
        raise Failed(f"The registry answers {method} {path} with {response.status}: {text}")
    return response.getheader("Location", "")
