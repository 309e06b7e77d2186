"""Takes the rule map out of a Palette Kubernetes pack, with its true place in the file.

Source: Palette's documentation, "Image Swap": ``imageSwap`` is a node of its own at the root of the
pack's YAML, and ``imageChange`` in it is the text of the map.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import yaml
from yaml.reader import ReaderError

from imageswap.rules.diagnostic import Diagnostic, Origin, Severity
from imageswap.rules.syntax import Source

NODE, FIELD = "imageSwap", "imageChange"
_WRITE = f"write `{NODE}:` at the root of the pack and, in it, `{FIELD}: |-` with a rule a line"
_TEXT_TAG = "tag:yaml.org,2002:str"
_NULL_TAG = "tag:yaml.org,2002:null"

# What no line of a map looks like: a key of the pack with nothing or a blank behind its one colon,
# the head of a block of text, and the first line of a YAML document or of JSON. `*+` and `++` give
# nothing back, so that no text takes long.
_PACK_KEY = re.compile(
    r"""^[ \t-]*+["']?image[-_]?(?:swap|change)["']?[ \t]*+:(?=[ \t\r]|$)""",
    re.MULTILINE | re.IGNORECASE,
)
_BLOCK_HEAD = re.compile(
    r"^[ \t-]*+[\w.-]++[ \t]*+:[ \t]++[|>][-+0-9]*+[ \t]*+(?:#.*)?\r?$", re.MULTILINE
)
_FIRST_LINE = re.compile(r"\ufeff?(?:[ \t]*(?:#.*)?\r?\n)*(?:---(?=\s|$)|%YAML|[ \t]*\{)")


class InvalidPack(ValueError):
    """Says what is wrong with a pack and where; ``diagnostic`` has the parts."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(str(diagnostic))
        self.diagnostic = diagnostic


def is_pack(text: str) -> bool:
    """Whether a text is meant as a pack, sound or broken, rather than as a bare map."""
    return any(sign(text) for sign in (_PACK_KEY.search, _BLOCK_HEAD.search, _FIRST_LINE.match))


def read(text: str, file: str) -> Source:
    """Take the map out of a pack.

    Takes the YAML text of a whole pack, and its file's name for messages. Gives the map so that an
    error in it has the line and the column that it has in the pack. Where the map's lines do not
    stand in the file as they are, as in a string with escapes, the name is
    ``FILE:LINE:imageChange``, with the line of the string, and lines count from there.

    Raises:
        InvalidPack: It is not YAML, or has no text at ``imageSwap.imageChange``, or holds one of
            the two elsewhere.
    """
    document = _Document(text.removeprefix("\ufeff"), file)
    root = _root(document)
    block = _block(document, root)
    field = _field(document, block)
    _refuse_strays(document, root, block)
    return _source(document, field)


@dataclass(frozen=True)
class _Document:
    text: str
    file: str

    @cached_property
    def lines(self) -> list[str]:
        # Lines as `grep -n` counts them, unlike YAML, to which some other characters end lines.
        return [line.removesuffix("\r") for line in self.text.split("\n")]

    def line_of(self, index: int) -> int:
        return self.text.count("\n", 0, index)

    def problem(self, index: int, length: int, message: str, fix: str) -> InvalidPack:
        line = self.line_of(index)
        start = index - (self.text.rfind("\n", 0, index) + 1)
        origin = Origin(self.file, line + 1, self.lines[line])
        return InvalidPack(Diagnostic(Severity.ERROR, origin, start, length, message, fix))

    def problem_at(self, node: yaml.Node, message: str, fix: str) -> InvalidPack:
        start, end = node.start_mark.index, node.end_mark.index
        return self.problem(start, len(self.text[start:end].partition("\n")[0]), message, fix)


def _root(document: _Document) -> yaml.MappingNode:
    found = [node for node in _compose(document) if not _is_nothing(node)]
    if not found:
        raise document.problem(0, 1, "there is nothing in this YAML file", _WRITE)
    if len(found) > 1:
        raise document.problem(
            found[1].start_mark.index,
            1,
            "a second YAML document begins here; a pack is one document",
            "give each document as a file of its own, or delete the `---` between them",
        )
    if not isinstance(found[0], yaml.MappingNode):
        raise document.problem_at(found[0], "a pack is a YAML mapping, and this is not one", _WRITE)
    return found[0]


def _compose(document: _Document) -> list[yaml.Node]:
    try:
        return list(yaml.compose_all(document.text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        # What lacks its colon is known only where the next line has begun.
        if error.context_mark and error.context == "while scanning a simple key":
            mark = error.context_mark
        index = min(mark.index, len(document.text)) if mark else 0
        problem = f"it is not valid YAML: {error.problem}"
        context = f" {error.context}" if error.context else ""
        raise document.problem(index, 1, problem + context, _yaml_fix(document, index)) from None
    except ReaderError as error:
        raise document.problem(
            error.position, 1, "YAML text cannot hold this character", "delete it"
        ) from None
    except RecursionError:
        raise document.problem(0, 1, "its YAML is nested too deeply to be read", _WRITE) from None


def _yaml_fix(document: _Document, index: int) -> str:
    if document.text[index : index + 1] == "\t":
        return "indent with spaces; YAML takes no tabs"
    if "::" in document.lines[document.line_of(index)]:
        return f"write `{FIELD}: |-`, and indent every rule deeper than `{FIELD}`"
    return ""


def _block(document: _Document, root: yaml.MappingNode) -> yaml.MappingNode:
    node = _only(document, root, NODE)
    if node is None:
        stray = _near(root, NODE) or next(_named(root, (NODE, FIELD)), None)
        if stray is not None:
            raise _stray(document, stray)
        raise document.problem_at(root, f"there is no `{NODE}` in this pack", _WRITE)
    if not isinstance(node, yaml.MappingNode):
        raise document.problem_at(
            node,
            f"`{NODE}` holds {_what(node)} and not `{FIELD}`",
            f"write `{FIELD}: |-` in it, indented, with a rule a line",
        )
    return node


def _field(document: _Document, block: yaml.MappingNode) -> yaml.ScalarNode:
    outside = next((key for key, _ in block.value if ":" in str(key.value)), None)
    if outside is not None:
        raise document.problem_at(
            outside,
            f"this rule is not part of the text of `{FIELD}`",
            f"indent every rule deeper than `{FIELD}`, under `{FIELD}: |-`",
        )
    node = _only(document, block, FIELD)
    if node is None:
        near = _near(block, FIELD)
        if near is not None:
            raise _stray(document, near)
        raise document.problem_at(block, f"there is no `{FIELD}` in `{NODE}`", _WRITE)
    if not isinstance(node, yaml.ScalarNode) or node.tag != _TEXT_TAG:
        raise document.problem_at(
            node,
            f"`{FIELD}` is {_what(node)} and not text",
            f"write `{FIELD}: |-` and under it, indented, a rule a line",
        )
    return node


def _refuse_strays(document: _Document, root: yaml.MappingNode, block: yaml.MappingNode) -> None:
    rightful = {
        id(key)
        for mapping, name in ((root, NODE), (block, FIELD))
        for key, _ in mapping.value
        if key.value == name
    }
    for key in _named(root, (NODE, FIELD)):
        if id(key) not in rightful:
            raise _stray(document, key)


def _stray(document: _Document, key: yaml.ScalarNode) -> InvalidPack:
    if key.value not in (NODE, FIELD):
        right = NODE if "swap" in key.value.lower() else FIELD
        return document.problem_at(
            key, f"`{key.value}` is not a key of the image swap", f"write `{right}`"
        )
    if key.value == NODE:
        fix = f"move `{NODE}` to the root of the pack: the first column, in no other node"
    else:
        fix = f"move it into `{NODE}` at the root of the pack"
    return document.problem_at(key, f"`{key.value}` stands where nothing reads it", fix)


def _only(document: _Document, mapping: yaml.MappingNode, name: str) -> yaml.Node | None:
    """Give the value of a key, or None; one that is there twice is an error."""
    found = [(key, value) for key, value in mapping.value if key.value == name]
    if len(found) > 1:
        first = document.line_of(found[0][0].start_mark.index) + 1
        raise document.problem_at(
            found[1][0],
            f"`{name}` is given twice: it stands in line {first} already",
            "put all the rules into one and delete the other",
        )
    return found[0][1] if found else None


def _near(mapping: yaml.MappingNode, name: str) -> yaml.ScalarNode | None:
    """Find a key that is the name but for its case and its dashes."""
    for key, _ in mapping.value:
        if isinstance(key, yaml.ScalarNode):
            plain = re.sub(r"[-_]|s$", "", key.value.lower())
            if plain == name.lower():
                return key
    return None


def _named(root: yaml.Node, names: tuple[str, ...]) -> Iterator[yaml.ScalarNode]:
    """Give every key of one of the names, at any depth, in the order of the file."""
    pending, seen = [root], set()
    while pending:
        node = pending.pop()
        # An anchored node can stand in many places, and even within itself.
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value in names:
                    yield key
            pending.extend(value for _, value in reversed(node.value))
        elif isinstance(node, yaml.SequenceNode):
            pending.extend(reversed(node.value))


def _what(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if node.tag == _TEXT_TAG:
        return "text"
    return "empty" if node.tag == _NULL_TAG else f"`{node.value}`"


def _is_nothing(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == _NULL_TAG


def _source(document: _Document, node: yaml.ScalarNode) -> Source:
    # The reader of maps drops byte order marks, which would move its columns.
    node.value = node.value.lstrip("\ufeff")
    placed = _literal_place(document, node) if node.style == "|" else _line_place(document, node)
    if placed is not None:
        line, indent = placed
        return Source(node.value, document.file, line + 1, indent)
    _refuse_joined(document, node)
    line = document.line_of(node.start_mark.index)
    return Source(node.value, f"{document.file}:{line + 1}:{FIELD}")


def _literal_place(document: _Document, node: yaml.ScalarNode) -> tuple[int, int] | None:
    """Find the file's lines that are the lines of a literal block, moved to the right.

    Gives the first line and the indentation, both from 0. They are looked for, and not worked out
    from the marks: the mark of the node is that of its anchor or tag, where it has one.
    """
    texts = node.value.rstrip("\n").split("\n")
    sample = next((i for i, text in enumerate(texts) if text), None)
    first = document.line_of(node.start_mark.index) + 1
    if sample is None:
        return first, 0
    for top in range(first, len(document.lines) - len(texts) + 1):
        indent = len(document.lines[top + sample]) - len(texts[sample])
        rows = islice(document.lines, top, top + len(texts))
        if indent > 0 and all(
            row[indent:] == text and not row[:indent].strip()
            for row, text in zip(rows, texts, strict=True)
        ):
            return top, indent
    return None


def _line_place(document: _Document, node: yaml.ScalarNode) -> tuple[int, int] | None:
    """Find a text that stands in one line of the file as it is, in quotes or not."""
    start, end = node.start_mark.index, node.end_mark.index
    at = document.text.rfind(node.value, start, end)
    if at < 0 or "\n" in node.value or document.text[at + len(node.value) : end] not in "\"'":
        return None
    return document.line_of(at), at - (document.text.rfind("\n", 0, at) + 1)


def _refuse_joined(document: _Document, node: yaml.ScalarNode) -> None:
    """Refuse a text whose rules stand in lines of the file, of which YAML makes one line."""
    first = document.line_of(node.start_mark.index)
    last = document.line_of(max(node.end_mark.index - 1, 0))
    if _rules(document.lines[first : last + 1]) > _rules(node.value.split("\n")):
        raise document.problem_at(
            node,
            f"YAML joins the lines of this `{FIELD}` into one, and each rule needs its own",
            f"write `{FIELD}: |-`, which keeps the lines",
        )


def _rules(lines: list[str]) -> int:
    return sum("::" in line.partition("#")[0] for line in lines)
