"""Reads the text of a rule map into rules, finding every error in one pass.

The language is that of the map file of ImageSwap 1.5 (``phenixblue/imageswap-webhook``,
docs/configuration.md), which Palette's ``imageSwap.imageChange`` block holds too.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from imageswap.rules import reference
from imageswap.rules.diagnostic import Diagnostic, Origin, Severity, locate
from imageswap.rules.rule import DEFAULT_KEY, NOSWAP_KEY, Kind, Rule

_KEYWORD = re.compile(r"\[([^\[\]:]*)\]")
_IPV6_HOST = re.compile(r"\[[0-9a-fA-F:]*:[0-9a-fA-F:]*\]")
_GLOB_TEXT = re.compile(r"[A-Za-z0-9._/:@\-*?\[\]!]+")
_KEYWORDS = {"EXACT": Kind.EXACT, "REPLACE": Kind.REPLACE}


@dataclass(frozen=True, slots=True)
class Source:
    """The text of one map and where it is from.

    ``line`` and ``indent`` place the text's first line in the file: 1 and 0 for a map file, the
    first line and the indentation of the block for a map inside YAML.
    """

    text: str
    file: str
    line: int = 1
    indent: int = 0


class _Part(NamedTuple):
    """A piece of a rule's text (its white space dropped) and where it starts in it."""

    text: str
    start: int


class _Problem(Exception):
    """An error that ends the reading of one line."""

    def __init__(self, part: _Part, message: str, fix: str) -> None:
        super().__init__(message)
        self.part = part
        self.message = message
        self.fix = fix


def parse(source: Source) -> tuple[list[Rule], list[Diagnostic]]:
    """Read a rule map.

    Takes the map's text; gives its rules in the order of its lines and all its errors and
    warnings. A line with an error gives no rule. Never raises.
    """
    rules: list[Rule] = []
    diagnostics: list[Diagnostic] = []
    by_key: dict[tuple[Kind, str], Rule] = {}
    for origin, compact in _lines(source):
        try:
            kind, key, target = _read(compact, origin, diagnostics)
        except _Problem as problem:
            diagnostics.append(
                _diagnose(origin, problem.part, problem.message, problem.fix, Severity.ERROR)
            )
            continue
        rule = Rule(kind, key, target, origin)
        first = by_key.setdefault((kind, key), rule)
        if first is not rule:
            diagnostics.append(
                _diagnose(
                    origin,
                    _Part(compact, 0),
                    f"`{_name(rule)}` is given twice: it stands in line {first.origin.line} "
                    f"already (`{first.text}`)",
                    f"delete one of the lines {first.origin.line} and {origin.line}",
                    Severity.ERROR,
                )
            )
            continue
        rules.append(rule)
    return rules, diagnostics


def _lines(source: Source) -> Iterator[tuple[Origin, str]]:
    """Give each line that holds something, with its comment and white space dropped."""
    text = source.text.removeprefix("\ufeff")
    for number, line in enumerate(text.split("\n"), source.line):
        compact = "".join(line.partition("#")[0].split())
        if compact:
            yield Origin(source.file, number, line, source.indent), compact


def _read(compact: str, origin: Origin, diagnostics: list[Diagnostic]) -> tuple[Kind, str, str]:
    key, target = _separate(compact, origin, diagnostics)
    keyword = _KEYWORD.match(key.text) if key.text.startswith("[") else None
    if keyword is not None:
        kind = _KEYWORDS.get(keyword.group(1))
        if kind is None:
            raise _unknown_keyword(keyword.group(0))
        subject = _Part(key.text[keyword.end() :], keyword.end())
        if not subject.text:
            raise _Problem(
                key, "the key is empty", f"write an image after `{kind.value}`: `{kind.value}…::…`"
            )
        if kind is Kind.EXACT:
            return kind, _exact_source(subject), _exact_target(target)
        return kind, _glob(subject), _replace_target(target)
    if not key.text:
        raise _Problem(
            _Part(compact, 0),
            "the key is empty",
            f"write `{DEFAULT_KEY}::{target.text}` for all images",
        )
    name = key.text.rstrip("/")
    if name == NOSWAP_KEY:
        return Kind.NOSWAP, name, ",".join(word for word in target.text.split(",") if word)
    if name == DEFAULT_KEY:
        return Kind.DEFAULT, name, _prefix_target(target)
    return Kind.PREFIX, _prefix(key, target, origin, diagnostics), _prefix_target(target)


def _separate(compact: str, origin: Origin, diagnostics: list[Diagnostic]) -> tuple[_Part, _Part]:
    key, separator, target = compact.partition("::")
    if separator and "::" not in target and key.rfind("[") <= key.rfind("]"):
        return _Part(key, 0), _Part(target, len(key) + 2)
    # `::` inside the brackets of an IPv6 address separates nothing.
    masked = _IPV6_HOST.sub(lambda host: "x" * len(host.group()), compact)
    places = [match.start() for match in re.finditer("::", masked)]
    if len(places) == 1:
        at = places[0]
        return _Part(compact[:at], 0), _Part(compact[at + 2 :], at + 2)
    if len(places) > 1:
        raise _Problem(
            _Part("::", places[1]),
            "a second `::` in one rule",
            "write one rule a line, as `key::target`",
        )
    return _separate_deprecated(compact, masked, origin, diagnostics)


def _separate_deprecated(
    compact: str, masked: str, origin: Origin, diagnostics: list[Diagnostic]
) -> tuple[_Part, _Part]:
    # The `:` of a URL separates nothing either; that it is one is said where it stands.
    colons = [match.start() for match in re.finditer(":(?!//)", masked)]
    if not colons:
        words = origin.text.partition("#")[0].split()
        fix = (
            f"write `{words[0]}::{words[1]}`"
            if len(words) == 2
            else f"write `{compact}::TARGET`, or `{compact}::` to leave these images alone"
        )
        raise _Problem(_Part(compact, 0), "no `::` between a key and a target", fix)
    at = colons[0]
    key, target = compact[:at], compact[at + 1 :]
    if len(colons) > 1:
        raise _Problem(
            _Part(compact, 0),
            "a port or a tag needs `::` as the separator: with a single `:` it cannot be told "
            "which one separates",
            f"write `{_best_split(compact, colons)}`",
        )
    if key:
        diagnostics.append(
            _diagnose(
                origin,
                _Part(":", at),
                "a single `:` as the separator is deprecated",
                f"write `{key}::{target}`",
                Severity.WARNING,
            )
        )
    return _Part(key, 0), _Part(target, at + 1)


def _best_split(compact: str, colons: list[int]) -> str:
    """Guess which of several colons was meant to separate: the first that no digit follows."""
    at = next((i for i in colons if not compact[i + 1 : i + 2].isdigit()), colons[0])
    return f"{compact[:at]}::{compact[at + 1 :]}"


def _unknown_keyword(written: str) -> _Problem:
    known = [kind.value for kind in _KEYWORDS.values()]
    near = difflib.get_close_matches(written.upper(), known, n=1, cutoff=0.0)
    return _Problem(
        _Part(written, 0),
        f"`{written}` is not a keyword",
        f"write `{near[0]}`; the keywords are {' and '.join(f'`{k}`' for k in known)}",
    )


def _exact_source(part: _Part) -> str:
    reason = reference.explain(part.text)
    if reason:
        raise _Problem(
            part,
            f"`{part.text}` is not an image reference, so no image can equal it: {reason}",
            "write the image as the workloads name it, such as `quay.io/team/app:1.0`",
        )
    return part.text


def _exact_target(part: _Part) -> str:
    if not part.text:
        return ""
    reason = reference.explain(part.text)
    if reason:
        raise _Problem(
            part,
            f"the target `{part.text}` is not an image reference: {reason}",
            "write a whole image, such as `harbor.example/hub/app:1.0`",
        )
    return part.text


def _glob(part: _Part) -> str:
    if not _GLOB_TEXT.fullmatch(part.text):
        bad = next(c for c in part.text if not _GLOB_TEXT.fullmatch(c))
        raise _Problem(
            _Part(bad, part.start + part.text.index(bad)),
            f"no image reference can hold {bad!r}, so the pattern matches nothing",
            "delete it; `*`, `?` and `[…]` are the wildcards",
        )
    return part.text


def _replace_target(part: _Part) -> str:
    if part.text.endswith("-"):
        raise _Problem(
            part,
            f"the target `{part.text}` of a [REPLACE] rule ends in `-`: the image's last component "
            "is put behind it with a `/`, and no path component may end in `-`",
            f"write `{part.text.rstrip('-')}`",
        )
    return _prefix_target(part)


def _prefix_target(part: _Part) -> str:
    """Check the target of a rule that keeps a part of the image: a registry, path or namespace."""
    target = part.text.rstrip("/")
    if not target and not part.text:
        return ""
    if _is_prefix(f"{target}x" if target.endswith("-") else target):
        return target
    raise _Problem(part, *_explain_prefix("target", part.text))


def _prefix(part: _Part, target: _Part, origin: Origin, diagnostics: list[Diagnostic]) -> str:
    """Check the key of a registry or path rule; give it with ``index.docker.io`` replaced."""
    key = part.text.rstrip("/")
    registry, slash, path = key.partition("/")
    if not key or not _is_prefix(key):
        if key and ":" in path:
            raise _Problem(
                part,
                f"the key `{part.text}` holds a tag or a digest, which registry and path rules "
                "do not look at",
                f"write `[EXACT]{part.text}::{target.text or 'TARGET'}` for this one image",
            )
        raise _Problem(part, *_explain_prefix("key", part.text))
    if not reference.is_registry_component(registry):
        diagnostics.append(
            _diagnose(
                origin,
                part,
                f"images that start with `{registry}/` are Docker Hub's: without a `.` or a port "
                f"it is no registry, so `{key}` applies only to images that have a port there",
                f"write `docker.io/{key}::{target.text}`",
                Severity.WARNING,
            )
        )
    return reference.normalise_registry(registry) + slash + path


def _is_prefix(text: str) -> bool:
    registry, slash, path = text.partition("/")
    if reference.is_registry_component(registry):
        return reference.is_registry(registry) and (not slash or reference.is_path(path))
    return reference.is_path(text)


def _explain_prefix(what: str, text: str) -> tuple[str, str]:
    """Give the message and the fix for a key or target that cannot start an image reference."""
    if "://" in text:
        rest = text.partition("://")[2].rstrip("/")
        return f"the {what} `{text}` is a URL; images are named without a scheme", f"write `{rest}`"
    registry, slash, path = text.partition("/")
    if ":" in path or "@" in text:
        name = registry + slash + re.split("[:@]", path)[0]
        return (
            f"the {what} `{text}` has a tag or a digest; those stay the image's own",
            f"write `{name}`",
        )
    host, colon, port = registry.partition(":")
    if host and colon and not port.isdigit() and not registry.startswith("["):
        return (
            f"the port `{port}` of the {what} `{text}` is not a number",
            f"write `{host}`, or `{host}:` and the port's number",
        )
    if path != path.lower():
        return f"a repository path is lower-case, unlike the {what} `{text}`", (
            f"write `{registry}/{path.lower()}`"
        )
    reason = reference.explain(f"{text.rstrip('/')}/x")
    return (
        f"the {what} `{text}` cannot start an image reference: "
        f"{reason or f'`{registry}` is not the name of a host'}",
        "write a registry with or without a port and a path, such as `harbor.example:5000/hub`",
    )


def _name(rule: Rule) -> str:
    return rule.text.partition("::")[0] if rule.kind is not Kind.PREFIX else rule.key


def _diagnose(
    origin: Origin, part: _Part, message: str, fix: str, severity: Severity
) -> Diagnostic:
    start, length = locate(origin.text, part.start, len(part.text))
    return Diagnostic(severity, origin, start, length, message, fix)
