"""What the target of a rule means: where it puts an image, and which images stand under it."""

from imageswap.rules import reference
from imageswap.rules.reference import Reference


class Target:
    """The target of a registry, path, [REPLACE] or default rule, taken apart once.

    ``text`` is as written. It is one of three things: a bare host (``harbor.example``), a prefix
    that ends in ``-`` (``harbor.example/mirror-``), or a place (a registry with a port or a path,
    or a Docker Hub namespace).
    """

    __slots__ = ("is_bare_host", "is_text_prefix", "normal", "path", "registry", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        first, _, rest = text.partition("/")
        if reference.is_registry_component(first):
            self.registry, self.path = reference.normalise_registry(first), rest
        else:
            self.registry, self.path = reference.DOCKER_HUB, text
        self.is_text_prefix = text.endswith("-")
        self.is_bare_host = not (self.path or self.is_text_prefix or reference.split_port(first)[1])
        self.normal = f"{self.registry}/{self.path}" if self.path else self.registry

    def place(self, image: Reference, rest: str, port: str = "") -> str:
        """Put an image at this target.

        Takes the image, the part of its path that the rule keeps, and the port (``:5000``) that a
        bare host takes over. Gives the new reference's text; "" where it would not be a valid
        reference, or would name no repository.
        """
        if self.is_text_prefix:
            text = f"{self.text}{image.host}/{image.path}{image.suffix}"
            # The source's host becomes a part of a path, which may hold less than a host may.
            return text if reference.parse(text) else ""
        if rest:
            start = self.text + port if self.is_bare_host else self.text
            text = f"{start}/{rest}{image.suffix}"
        elif self.path:
            text = self.text + image.suffix
        else:
            return ""
        # A valid target and a valid image make a valid reference, save for its length.
        if len(text) > reference.MAX_PATH_LENGTH and reference.parse(text) is None:
            return ""
        return text

    def covers(self, image: Reference) -> bool:
        """Whether the image stands under this target already.

        Under a bare host on any port of it; under a place on a path boundary; under a prefix that
        ends in ``-`` as text. A Docker Hub namespace is compared with its registry filled in.
        """
        if self.is_bare_host:
            return image.host == self.registry
        if self.is_text_prefix:
            return str(image).startswith(self.text) or (
                f"{image.normal_registry}/{image.path}".startswith(self.normal)
            )
        repository = image.normal_repository
        return repository.startswith(self.normal) and (
            repository[len(self.normal) : len(self.normal) + 1] in ("", "/")
        )


class TargetIndex:
    """Many targets, to ask whether an image stands under any of them at once."""

    def __init__(self) -> None:
        self._hosts: set[str] = set()
        self._places: set[str] = set()
        self._text_prefixes: set[str] = set()

    def add(self, target: Target) -> None:
        """Add a target."""
        if target.is_bare_host:
            self._hosts.add(target.registry)
        elif target.is_text_prefix:
            self._text_prefixes.update((target.text, target.normal))
        else:
            self._places.add(target.normal)

    def covers(self, image: Reference) -> bool:
        """Whether the image stands under any of the targets: ``Target.covers`` of one of them."""
        if self._hosts and image.host in self._hosts:
            return True
        if self._places:
            repository = image.normal_repository
            end = len(repository)
            while end > 0:
                if repository[:end] in self._places:
                    return True
                end = repository.rfind("/", 0, end)
        if self._text_prefixes:
            return _starts_with_any(str(image), self._text_prefixes) or _starts_with_any(
                f"{image.normal_registry}/{image.path}", self._text_prefixes
            )
        return False


def _starts_with_any(text: str, prefixes: set[str]) -> bool:
    """Whether text starts with one of the prefixes, which all end in ``-``."""
    dash = text.find("-")
    while dash >= 0:
        if text[: dash + 1] in prefixes:
            return True
        dash = text.find("-", dash + 1)
    return False
