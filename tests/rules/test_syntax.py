"""How a map's text is read, and every error and warning with its place and its fix."""

import pytest

from imageswap.rules import syntax
from imageswap.rules.diagnostic import Diagnostic, Severity, locate
from imageswap.rules.rule import Kind
from imageswap.rules.syntax import Source
from tests.rules.maps import rules


def read(text: str) -> list[tuple[Kind, str, str]]:
    found, diagnostics = syntax.parse(Source(text, "map"))
    assert diagnostics == []
    return [(rule.kind, rule.key, rule.target) for rule in found]


def diagnose(text: str) -> list[Diagnostic]:
    return syntax.parse(Source(text, "map"))[1]


def underlined(diagnostic: Diagnostic) -> str:
    start = diagnostic.start
    return diagnostic.origin.text[start : start + diagnostic.length]


@pytest.mark.parametrize(
    ("line", "kind", "key", "target"),
    [
        ("default::", Kind.DEFAULT, "default", ""),
        ("default::h.io/hub", Kind.DEFAULT, "default", "h.io/hub"),
        ("default::jmsearcy", Kind.DEFAULT, "default", "jmsearcy"),
        ("default/::h.io", Kind.DEFAULT, "default", "h.io"),
        ("quay.io::h.io", Kind.PREFIX, "quay.io", "h.io"),
        ("quay.io/::h.io/", Kind.PREFIX, "quay.io", "h.io"),
        ("quay.io:443/team::h.io:5000/t", Kind.PREFIX, "quay.io:443/team", "h.io:5000/t"),
        ("index.docker.io/team::h.io", Kind.PREFIX, "docker.io/team", "h.io"),
        ("docker.io::h.io/mirror-", Kind.PREFIX, "docker.io", "h.io/mirror-"),
        ("localhost::h.io", Kind.PREFIX, "localhost", "h.io"),
        ("[::1]:5000::h.io", Kind.PREFIX, "[::1]:5000", "h.io"),
        ("quay.io::[2001:db8::1]:5000/m", Kind.PREFIX, "quay.io", "[2001:db8::1]:5000/m"),
        ("[::1]::[::2]", Kind.PREFIX, "[::1]", "[::2]"),
        ("[EXACT]nginx:1::h.io/x@sha256:" + "a" * 64, *(Kind.EXACT, "nginx:1"), "h.io/x@sha256:"),
        ("[EXACT]nginx::", Kind.EXACT, "nginx", ""),
        ("[EXACT][::1]:5000/x:1::h.io/x:1", Kind.EXACT, "[::1]:5000/x:1", "h.io/x:1"),
        ("[REPLACE]*/[a-c]?/[!d]x*::h.io", Kind.REPLACE, "*/[a-c]?/[!d]x*", "h.io"),
        ("noswap_wildcards::a,b:5000,,c,", Kind.NOSWAP, "noswap_wildcards", "a,b:5000,c"),
        ("noswap_wildcards::", Kind.NOSWAP, "noswap_wildcards", ""),
        ("  [ EXACT ]\tnginx : : h.io/x # why", Kind.EXACT, "nginx", "h.io/x"),
        ("quay.io::h.io#why", Kind.PREFIX, "quay.io", "h.io"),
        ("quay.io :: h.io\r", Kind.PREFIX, "quay.io", "h.io"),
        ("\ufeffquay.io::h.io", Kind.PREFIX, "quay.io", "h.io"),
    ],
)
def test_a_rule(line: str, kind: Kind, key: str, target: str) -> None:
    ((read_kind, read_key, read_target),) = read(line)
    assert (read_kind, read_key) == (kind, key)
    assert read_target.removesuffix("a" * 64) == target


def test_blank_lines_and_comments_count_for_nothing() -> None:
    found, diagnostics = syntax.parse(
        Source("# a map\r\n\r\n  \t\r\n  # indented\r\nquay.io::h.io\r\n", "map")
    )
    assert diagnostics == []
    (rule,) = found
    assert str(rule.origin) == "map:5"
    assert rule.origin.text.rstrip() == "quay.io::h.io"


def test_the_place_within_a_larger_file() -> None:
    found, diagnostics = syntax.parse(Source("quay.io::h.io\nh.io", "pack.yaml", 12, 6))
    assert str(found[0].origin) == "pack.yaml:12"
    assert str(diagnostics[0]).startswith("pack.yaml:13:7: error: ")


ERRORS = [
    # line, what is underlined, a part of the message, a part of the fix
    ("h.io", "h.io", "no `::`", "`h.io::TARGET`"),
    ("quay.io h.io", "quay.io h.io", "no `::`", "`quay.io::h.io`"),
    ("quay.io = h.io", "quay.io = h.io", "no `::`", "`quay.io=h.io::TARGET`"),
    ("a.io:5000:h.io", "a.io:5000:h.io", "a port", "`a.io:5000::h.io`"),
    ("a.io:h.io:5000", "a.io:h.io:5000", "a port", "`a.io::h.io:5000`"),
    ("[EXACT]x:1.0:h.io/x:1", "[EXACT]x:1.0:h.io/x:1", "a tag", "`[EXACT]x:1.0::h.io/x:1`"),
    ("a.io::b.io::c.io", "::", "a second `::`", "one rule a line"),
    ("[exact]nginx::h.io/x", "[exact]", "`[exact]` is not a keyword", "`[EXACT]`"),
    ("[ REPLACED ]x*::h.io", "[ REPLACED ]", "not a keyword", "`[REPLACE]`"),
    ("::h.io", "::h.io", "the key is empty", "`default::h.io`"),
    (":h.io", ":h.io", "the key is empty", "`default::h.io`"),
    ("[EXACT]::h.io", "[EXACT]", "the key is empty", "`[EXACT]…::…`"),
    ("[REPLACE] ::h.io", "[REPLACE]", "the key is empty", "`[REPLACE]…::…`"),
    ("default::https://h.io/x/", "https://h.io/x/", "is a URL", "write `h.io/x`"),
    ("default:https://h.io", "https://h.io", "is a URL", "write `h.io`"),
    ("https://quay.io::h.io", "https://quay.io", "is a URL", "write `quay.io`"),
    ("[EXACT]nginx::http://h.io/x", "http://h.io/x", "is a URL", "harbor.example/hub/app:1.0"),
    ("quay.io::h.io:port", "h.io:port", "the port `port`", "`h.io`"),
    ("quay.io:::h.io", ":h.io", "not a registry's host", "harbor.example"),
    ("quay.io/x:1::h.io", "quay.io/x:1", "a tag or a digest", "`[EXACT]quay.io/x:1::h.io`"),
    ("quay.io::h.io/x:1", "h.io/x:1", "a tag or a digest", "write `h.io/x`"),
    ("quay.io::h.io/x@sha256:0", "h.io/x@sha256:0", "a tag or a digest", "write `h.io/x`"),
    ("quay.io::h.io/Hub", "h.io/Hub", "lower-case", "write `h.io/hub`"),
    ("quay.io/Team::h.io", "quay.io/Team", "lower-case", "write `quay.io/team`"),
    ("quay.io::h.io//x", "h.io//x", "empty path component", "harbor.example"),
    ("quay.io::/", "/", "empty path component", "harbor.example"),
    ("/::h.io", "/", "empty path component", "harbor.example"),
    ("quay.io::my_host.io", "my_host.io", "`my_host.io` is not the name of a host", "harbor"),
    ("quay*::h.io", "quay*", "cannot start an image reference", "harbor.example"),
    ("[EXACT::h.io", "[EXACT", "cannot start an image reference", "harbor.example"),
    ("quay.io::-", "-", "cannot start an image reference", "harbor.example"),
    ("quay.io::h.io/m_-", "h.io/m_-", "cannot start an image reference", "harbor.example"),
    ("quay.io::" + "p" * 256, "p" * 256, "longer than 255", "harbor.example"),
    ("[EXACT]Nginx::h.io/x", "Nginx", "lower-case: `nginx`", "as the workloads name it"),
    ("[EXACT]nginx::h.io/X", "h.io/X", "lower-case: `x`", "a whole image"),
    ("[REPLACE]quay.io/ü*::h.io", "ü", "'ü'", "delete it"),
    ("[REPLACE]quay.io/*::h.io/m-", "h.io/m-", "ends in `-`", "write `h.io/m`"),
]


@pytest.mark.parametrize(("line", "part", "message", "fix"), ERRORS)
def test_an_error(line: str, part: str, message: str, fix: str) -> None:
    found, diagnostics = syntax.parse(Source(rules("default::", line), "map"))
    assert [rule.key for rule in found] == ["default"]
    errors = [d for d in diagnostics if d.severity is Severity.ERROR]
    (error,) = errors
    assert underlined(error) == part
    assert message in error.message
    assert fix in error.fix
    column = line.rindex(part) + 1
    assert str(error) == f"map:2:{column}: error: {error.message}; {error.fix}"


def test_all_errors_are_found_in_one_pass() -> None:
    lines = [case[0] for case in ERRORS]
    errors = [d for d in diagnose(rules(*lines)) if d.severity is Severity.ERROR]
    assert [error.origin.line for error in errors] == list(range(1, len(lines) + 1))


@pytest.mark.parametrize(
    "lines",
    [
        ("quay.io::a.io", "quay.io::b.io"),
        ("docker.io::a.io", "index.docker.io::b.io"),
        ("quay.io/team::a.io", "quay.io/team/::a.io"),
        ("default::a.io", "default:b.io"),
        ("[EXACT]nginx::a.io/x", "[EXACT]nginx::b.io/x"),
        ("[REPLACE]nginx*::a.io", "[REPLACE]nginx*::b.io"),
        ("noswap_wildcards::a", "noswap_wildcards::b"),
    ],
)
def test_a_key_given_twice(lines: tuple[str, str]) -> None:
    found, diagnostics = syntax.parse(Source(rules(lines[0], "", lines[1]), "map"))
    assert len(found) == 1
    (error,) = [d for d in diagnostics if d.severity is Severity.ERROR]
    assert error.origin.line == 3
    assert underlined(error) == lines[1]
    assert "given twice: it stands in line 1 already" in error.message
    assert found[0].text in error.message
    assert "1 and 3" in error.fix


def test_the_same_text_under_another_keyword_is_another_key() -> None:
    text = rules("nginx.io::h.io", "[EXACT]nginx.io::h.io/x", "[REPLACE]nginx.io::h.io")
    assert [kind for kind, _, _ in read(text)] == [Kind.PREFIX, Kind.EXACT, Kind.REPLACE]


@pytest.mark.parametrize(
    ("line", "fix", "key", "target"),
    [
        ("default:", "`default::`", "default", ""),
        ("quay.io : h.io", "`quay.io::h.io`", "quay.io", "h.io"),
        ("[EXACT]nginx:h.io/x", "`[EXACT]nginx::h.io/x`", "nginx", "h.io/x"),
        ("noswap_wildcards:a, b", "`noswap_wildcards::a,b`", "noswap_wildcards", "a,b"),
        ("[::1]:h.io", "`[::1]::h.io`", "[::1]", "h.io"),
    ],
)
def test_the_deprecated_separator(line: str, fix: str, key: str, target: str) -> None:
    found, (warning,) = syntax.parse(Source(line, "map"))
    assert [(rule.key, rule.target) for rule in found] == [(key, target)]
    assert warning.severity is Severity.WARNING
    assert underlined(warning) == ":"
    assert "deprecated" in warning.message
    assert fix in warning.fix


def test_the_deprecated_separator_is_not_told_of_without_a_key() -> None:
    (error,) = diagnose(":h.io")
    assert error.severity is Severity.ERROR


@pytest.mark.parametrize("key", ["team", "team/app", "registry/x"])
def test_a_key_that_is_no_registry(key: str) -> None:
    found, (warning,) = syntax.parse(Source(f"{key}::h.io", "map"))
    assert [rule.key for rule in found] == [key]
    assert warning.severity is Severity.WARNING
    assert underlined(warning) == key
    assert "Docker Hub's" in warning.message
    assert warning.fix == f"write `docker.io/{key}::h.io`"


def test_the_mark_stands_under_what_is_wrong() -> None:
    (error,) = diagnose("\tquay.io ::\th.io / Hub  # why")
    assert error.excerpt() == "    \tquay.io ::\th.io / Hub  # why\n    \t          \t^^^^^^^^^^"


def test_the_mark_is_in_its_place_on_a_line_of_windows() -> None:
    (error,) = diagnose("default::\r\nquay.io::h.io/Hub\r\n")
    assert error.excerpt() == "    quay.io::h.io/Hub\n             ^^^^^^^^"
    assert str(error).startswith("map:2:10: ")


@pytest.mark.parametrize(
    ("line", "start", "length", "place"),
    [
        ("a b c", 0, 3, (0, 5)),
        ("a b c", 1, 1, (2, 1)),
        ("  abc", 1, 2, (3, 2)),
        ("abc", 1, 0, (1, 1)),
        ("abc", 2, 9, (2, 1)),
        ("abc", 3, 1, (3, 1)),
        ("   ", 0, 1, (0, 0)),
    ],
)
def test_locate(line: str, start: int, length: int, place: tuple[int, int]) -> None:
    assert locate(line, start, length) == place
