"""What the target of a rule means: where it puts an image, and which images stand under it."""

from imageswap.rules import reference
from imageswap.rules.reference import Reference


class Target:
    """The target of a registry, path, [REPLACE] or default rule, taken apart once.

    ``text`` is as written. It is one of three things: a bare host (``harbor.example``), a prefix
    that ends in ``-`` (``harbor.example/mirror-``), or a place (a registry with a port or a path,
    or a Docker Hub namespace). ``host`` is its host, ``docker.io`` for a namespace; ``normal`` is
    the text with its registry filled in.
    """

    __slots__ = ("host", "is_bare_host", "is_text_prefix", "normal", "path", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.is_text_prefix = text.endswith("-")
        first, _, rest = text.partition("/")
        if reference.is_registry_component(first):
            registry, self.path = reference.normalise_registry(first), rest
            self.normal = registry + text[len(first) :] if registry != first else text
        else:
            registry, self.path = reference.DOCKER_HUB, text
            self.normal = f"{registry}/{text}"
        self.host, port = reference.split_port(registry)
        self.is_bare_host = not (self.path or port or self.is_text_prefix)

    def place(self, image: Reference, rest: str, port: str = "") -> str:
        """Put an image at this target.

        Takes the image, the part of its path that the rule keeps, and the port (``:5000``) that a
        bare host takes over. Gives the new reference's text, which ``is_valid`` must be asked
        about; "" where it would name no repository.
        """
        if self.is_text_prefix:
            return f"{self.text}{image.host}/{image.path}{image.suffix}"
        if rest:
            start = self.text + port if self.is_bare_host else self.text
            return f"{start}/{rest}{image.suffix}"
        return self.text + image.suffix if self.path else ""

    def is_valid(self, placed: str, rest: str) -> bool:
        """Whether what ``place`` gave for this rest is an image reference."""
        # A valid target before a part of a valid image makes a valid reference, save for its
        # length. A prefix that ends in `-` has a host behind it, which may hold what no path does.
        if rest and not self.is_text_prefix and len(placed) <= reference.MAX_PATH_LENGTH:
            return True
        return placed != "" and reference.parse(placed) is not None

    def covers(self, image: Reference) -> bool:
        """Whether the image stands under this target already.

        Under a bare host on any port of it; under a place on a path boundary; under a prefix that
        ends in ``-`` as text. A Docker Hub namespace is compared with its registry filled in.
        """
        if self.is_text_prefix:
            return str(image).startswith(self.text) or (
                f"{image.host}{image.port}/{image.path}".startswith(self.normal)
            )
        if self.host != image.host:
            return False
        if self.is_bare_host:
            return True
        return f"{image.repository}/".startswith(f"{self.normal}/")


class TargetIndex:
    """Many targets, to ask whether an image stands under any of them at once."""

    def __init__(self) -> None:
        self._hosts: set[str] = set()
        self._places: set[str] = set()
        self._text_prefixes: set[str] = set()

    def add(self, target: Target) -> None:
        """Add a target."""
        if target.is_bare_host:
            self._hosts.add(target.host)
        elif target.is_text_prefix:
            self._text_prefixes.update((target.text, target.normal))
        else:
            self._places.add(target.normal)

    def covers(self, image: Reference) -> bool:
        """Whether the image stands under any of the targets: ``Target.covers`` of one of them."""
        if image.host in self._hosts:
            return True
        if self._places:
            repository = image.repository
            end = len(repository)
            while end > 0:
                if repository[:end] in self._places:
                    return True
                end = repository.rfind("/", 0, end)
        if self._text_prefixes:
            return _starts_with_any(str(image), self._text_prefixes) or _starts_with_any(
                f"{image.host}{image.port}/{image.path}", self._text_prefixes
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
