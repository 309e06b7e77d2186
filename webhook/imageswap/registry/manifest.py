"""Where the manifest of an image is.

Source: the OCI distribution specification 1.1, "Pulling manifests" and "Checking if content exists
in the registry"; for Docker Hub, the ``reference`` and ``registry`` modules of distribution.
"""

from typing import NamedTuple

from imageswap.registry import url
from imageswap.registry.url import Url
from imageswap.rules import reference

_DOCKER_HUB_ENDPOINT = "registry-1.docker.io"
_OFFICIAL_REPOSITORY = "library"
_DEFAULT_TAG = "latest"
# A host name (RFC 1035, 2.3.4) and a port; the grammar of references has no bound.
_MAX_REGISTRY_LENGTH = 253 + len(":65535")

# Without them a registry answers 404 for an image that it has in another form.
ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)


class Manifest(NamedTuple):
    """A manifest's place: the registry, the repository's full path, and a tag or digest."""

    registry: str
    repository: str
    reference: str

    @property
    def scope(self) -> str:
        """What a token must allow: the scope of distribution's token specification."""
        return f"repository:{self.repository}:pull"

    def url(self, scheme: str) -> Url | None:
        """Give the manifest's URL; None where the registry's port is none."""
        is_hub = self.registry == reference.DOCKER_HUB
        authority = _DOCKER_HUB_ENDPOINT if is_hub else self.registry
        return url.parse(f"{scheme}://{authority}/v2/{self.repository}/manifests/{self.reference}")


def manifest(image: str) -> Manifest | None:
    """Give the place of an image's manifest.

    Takes an image reference; gives None where the text is not one, or its registry cannot be a
    host. A digest wins over a tag, and ``latest`` stands where there is neither.
    """
    parsed = reference.parse(image)
    if parsed is None:
        return None
    registry = reference.normalise_registry(parsed.registry).lower()
    if len(registry) > _MAX_REGISTRY_LENGTH:
        return None
    path = parsed.path
    if registry == reference.DOCKER_HUB and "/" not in path:
        path = f"{_OFFICIAL_REPOSITORY}/{path}"
    tag, _, digest = parsed.suffix.partition("@")
    return Manifest(registry, path, digest or tag.removeprefix(":") or _DEFAULT_TAG)
