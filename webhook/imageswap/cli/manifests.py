"""Reads Kubernetes manifests: files, folders and standard input, in YAML or JSON."""

import argparse
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from imageswap.cli.inputs import STDIN, read_text, shown
from imageswap.cli.problem import InvalidInput, Problem
from imageswap.rules.diagnostic import Severity

if TYPE_CHECKING:
    from yaml import SafeLoader as _FastLoader
else:
    # The same loader in C, many times faster, where PyYAML was built with it.
    _FastLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_SUFFIXES = frozenset((".yaml", ".yml", ".json"))
_DOCUMENT = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_TAG = "tag:yaml.org,2002:"
_RESOLVED_TAGS = (_TAG + "null", _TAG + "bool", _TAG + "merge")
_TEXT_TAGS = ("int", "float", "binary", "timestamp")
# Far more than any Kubernetes object has, and far less than is left of the stack.
_MAX_DEPTH = 200
_RENDER = "render the template first, as with `helm template`"


class Manifest(NamedTuple):
    """One Kubernetes object, the file that it is from and the line where its document begins."""

    file: str
    line: int
    content: Mapping[str, Any]


class _Loader(_FastLoader):
    """Reads numbers and dates as text: an image may look like one, and none is to stop a check."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way
        first: [resolver for resolver in resolvers if resolver[0] in _RESOLVED_TAGS]
        for first, resolvers in _FastLoader.yaml_implicit_resolvers.items()
    }


def _as_written(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


for _name in _TEXT_TAGS:
    _Loader.add_constructor(_TAG + _name, _as_written)


def add_manifests_argument(parser: argparse.ArgumentParser, summary: str) -> None:
    """Declare the arguments ``MANIFEST…`` on a parser."""
    parser.add_argument(
        "manifests",
        type=Path,
        nargs="*",
        metavar="MANIFEST",
        help=f"{summary}: YAML or JSON files, folders (every *.yaml, *.yml and *.json below), or "
        "`-` for standard input, such as `kubectl get … -o yaml` or `helm template …` print",
    )


def read(paths: Iterable[Path]) -> Iterator[Manifest | Problem]:
    """Read every object of files, folders and standard input (``-``).

    Gives the objects in their order, those of a ``List`` one by one, and a problem for each file
    and document that cannot be read, after which it goes on with the next. Documents that are no
    Kubernetes objects are passed over in folders, and are a problem in a file without any other.
    """
    for path in paths:
        if path != STDIN and path.is_dir():
            yield from _read_folder(path)
            continue
        found = list(_read_file(path))
        yield from found
        if not found:
            yield _error(
                shown(path), "there is no Kubernetes object in it", "name manifests or a folder"
            )


def _read_folder(folder: Path) -> Iterator[Manifest | Problem]:
    problems: list[Problem] = []

    def cannot_list(error: OSError) -> None:
        problems.append(_error(str(error.filename), f"cannot read it: {error.strerror}"))

    files = [
        Path(root, name)
        for root, _, names in os.walk(folder, onerror=cannot_list)
        for name in names
        if Path(name).suffix.lower() in _SUFFIXES
    ]
    yield from problems
    if not files and not problems:
        yield _error(str(folder), "there is no *.yaml, *.yml or *.json file in this folder")
    for file in sorted(files):
        yield from _read_file(file)


def _read_file(path: Path) -> Iterator[Manifest | Problem]:
    try:
        text = read_text(path)
    except InvalidInput as error:
        yield error.problem
        return
    file = shown(path)
    if text.lstrip()[:1] in ("{", "["):
        # YAML takes no tabs as indentation, JSON does.
        try:
            yield from _objects(file, 1, json.loads(text))
            return
        except ValueError as error:
            if path.suffix.lower() == ".json":
                yield _json_error(file, error)
                return
        except RecursionError:
            yield _error(file, "its JSON is nested too deeply")
            return
    for line, document in _documents(text):
        yield from _read_document(file, line, document)


def _documents(text: str) -> Iterator[tuple[int, str]]:
    """Split a YAML stream, as kubectl does, so that a broken document leaves the others whole.

    Gives each document from its ``---`` on, and the line where that stands.
    """
    starts = [match.start() for match in _DOCUMENT.finditer(text)]
    line = 1
    for start, end in zip([0, *starts], [*starts, len(text)], strict=True):
        document = text[start:end]
        # Comments and directives before the first `---` are no document.
        rows = document.split("\n")
        if any(row.strip() and row[0] not in "#%" for row in rows):
            yield line, document
        line += len(rows) - 1


def _read_document(file: str, line: int, text: str) -> Iterator[Manifest | Problem]:
    try:
        if _depth(text) > _MAX_DEPTH:
            yield _error(file, "the YAML of this document is nested too deeply", "", line)
            return
        for content in yaml.load_all(text, Loader=_Loader):
            yield from _objects(file, line + _lines_before_content(text), content)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        context = f" {error.context}" if error.context else ""
        yield _error(
            file,
            f"not valid YAML, in the document that begins in line {line}: {error.problem}{context}",
            _RENDER if "{{" in text else "",
            line + mark.line if mark else line,
            mark.column + 1 if mark else None,
        )
    except (yaml.YAMLError, ValueError) as error:
        reason = str(getattr(error, "reason", error))
        yield _error(file, f"not valid YAML, in the document that begins here: {reason}", "", line)


def _depth(text: str) -> int:
    """Give how deeply a YAML text is nested, which libyaml does not survive beyond its stack."""
    depth = deepest = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            deepest = max(deepest, depth)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return deepest


def _lines_before_content(document: str) -> int:
    rows = document.split("\n")
    return next((i for i, row in enumerate(rows) if row.strip() and row[0] not in "#-%"), 0)


def _objects(file: str, line: int, content: Any) -> Iterator[Manifest]:
    """Give the object, or those of a list: a ``List``, or the API's own, such as ``PodList``."""
    if not isinstance(content, Mapping):
        return
    kind, items = content.get("kind"), content.get("items")
    if not isinstance(kind, str):
        return
    if not kind.endswith("List") or not isinstance(items, list):
        yield Manifest(file, line, content)
        return
    if not items:
        # An answer with nothing in it is an answer.
        yield Manifest(file, line, content)
    for item in items:
        if isinstance(item, Mapping):
            # The items of an API list leave their kind out.
            yield from _objects(file, line, {"kind": kind.removesuffix("List"), **item})


def _json_error(file: str, error: ValueError) -> Problem:
    if isinstance(error, json.JSONDecodeError):
        return _error(file, f"not valid JSON: {error.msg}", "", error.lineno, error.colno)
    return _error(file, f"not valid JSON: {error}")


def _error(
    file: str, message: str, fix: str = "", line: int | None = None, column: int | None = None
) -> Problem:
    return Problem(Severity.ERROR, file, message, fix, line, column)
