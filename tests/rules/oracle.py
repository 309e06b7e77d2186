"""The rules language once more, slow and plain: for each image, every rule is looked at.

Shares nothing with the engine but the grammar of references, so that the two can be compared.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from imageswap.rules import reference
from imageswap.rules.rule import Kind, Rule


class _Name(NamedTuple):
    """An image's full name: Docker Hub's registry and ``library`` filled in."""

    host: str
    port: str
    path: str

    @property
    def registry(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host


class _Outcome(NamedTuple):
    """What one rule does: the rule, the image after it, and the text that it might not make."""

    rule: Rule | None
    image: str
    refused: str = ""


def swap(rules: Sequence[Rule], image: str) -> str:
    """Swap an image by rules in file order, along every rule of a chain."""
    chain = [image]
    used: list[Rule] = []
    while True:
        rule, after, refused = _step(rules, chain[-1])
        if after == chain[-1]:
            # Rules that come round again and again, to longer images, end only where no reference
            # can be longer.
            is_endless = rule in used and len(refused) > reference.MAX_PATH_LENGTH
            return image if is_endless else after
        if after in chain:
            return image
        chain.append(after)
        assert rule is not None
        used.append(rule)


def _step(rules: Sequence[Rule], image: str) -> _Outcome:
    for rule in rules:
        if rule.kind is Kind.EXACT and rule.key == image:
            return _Outcome(rule, rule.target or image)
    parsed = reference.parse(image)
    if parsed is None:
        return _Outcome(None, image)
    name = _name(parsed.registry, parsed.path)
    for rule in rules:
        if rule.kind is Kind.REPLACE and fnmatchcase(image, rule.key):
            return _move(rule, image, name, parsed.path.split("/")[-1] + parsed.suffix)
    default = next((rule for rule in rules if rule.kind is Kind.DEFAULT), None)
    if default is None:
        return _Outcome(None, image)
    matching = [rule for rule in rules if rule.kind is Kind.PREFIX and _applies(rule.key, name)]
    if matching:
        return _apply_prefix(max(matching, key=_precision), image, name, parsed)
    for rule in rules:
        if rule.kind is Kind.NOSWAP and any(
            word and word in image for word in rule.target.split(",")
        ):
            return _Outcome(rule, image)
    for rule in rules:
        if rule.kind is Kind.EXACT and rule.target == image:
            return _Outcome(default, image)
        if rule.kind in (Kind.REPLACE, Kind.PREFIX) and _stands_under(rule.target, image, name):
            return _Outcome(default, image)
    return _move(default, image, name, parsed.path + parsed.suffix)


def _apply_prefix(rule: Rule, image: str, name: _Name, parsed: reference.Reference) -> _Outcome:
    _, port, path = _split_key(rule.key)
    rest = name.path[len(path) :].lstrip("/") if path else parsed.path
    keeps_port = name.port != "" and port == "" and _is_bare_host(rule.target)
    start = f"{rule.target}:{name.port}" if keeps_port else rule.target
    return _move(rule, image, name, rest + parsed.suffix, start)


def _move(rule: Rule, image: str, name: _Name, rest: str, start: str | None = None) -> _Outcome:
    """Put the rest of an image behind the rule's target, or behind ``start`` in its place."""
    target = rule.target
    start = target if start is None else start
    if not target or _stands_under(target, image, name):
        return _Outcome(rule, image)
    if target.endswith("-"):
        parsed = reference.parse(image)
        assert parsed is not None
        after = f"{target}{name.host}/{parsed.path}{parsed.suffix}"
    elif rest and rest[0] not in ":@":
        after = f"{start}/{rest}"
    elif _split(target)[2]:
        after = target + rest
    else:
        return _Outcome(rule, image)
    if reference.parse(after) is None:
        return _Outcome(rule, image, after)
    return _Outcome(rule, after)


def _name(registry: str, path: str) -> _Name:
    if registry in ("", "index.docker.io"):
        registry = "docker.io"
    if registry == "docker.io" and "/" not in path:
        path = f"library/{path}"
    host, port = _split_port(registry)
    return _Name(host, port, path)


def _split_port(registry: str) -> tuple[str, str]:
    if registry.startswith("["):
        host, _, port = registry.partition("]")
        return f"{host}]", port.removeprefix(":")
    host, _, port = registry.partition(":")
    return host, port


def _split_key(key: str) -> tuple[str, str, str]:
    """Split a registry or path rule's key, which starts with a host, into host, port and path."""
    registry, _, path = key.partition("/")
    return *_split_port(registry), path


def _split(target: str) -> tuple[str, str, str]:
    """Split a target into host, port and path; a namespace is Docker Hub's."""
    first, _, rest = target.partition("/")
    if not reference.is_registry_component(first):
        return "docker.io", "", target
    host, port = _split_port("docker.io" if first == "index.docker.io" else first)
    return host, port, rest


def _applies(key: str, name: _Name) -> bool:
    host, port, path = _split_key(key)
    return (
        host == name.host
        and port in ("", name.port)
        and (not path or f"{name.path}/".startswith(f"{path}/"))
    )


def _precision(rule: Rule) -> tuple[int, bool]:
    _, port, path = _split_key(rule.key)
    return len(path), port != ""


def _is_bare_host(target: str) -> bool:
    _, port, path = _split(target)
    return target != "" and not port and not path and not target.endswith("-")


def _stands_under(target: str, image: str, name: _Name) -> bool:
    if not target:
        return False
    host, port, path = _split(target)
    if _is_bare_host(target):
        return host == name.host
    registry = f"{host}:{port}" if port else host
    if target.endswith("-"):
        parsed = reference.parse(image)
        assert parsed is not None
        filled = f"{registry}/{path}" if path else registry
        return image.startswith(target) or f"{name.registry}/{parsed.path}".startswith(filled)
    filled = f"{registry}/{path}/" if path else f"{registry}/"
    return f"{name.registry}/{name.path}/".startswith(filled)
