"""The reader of Palette packs: what is a pack, and that every place is the file's own."""

import time

import pytest

from imageswap import pack
from imageswap.rules.ruleset import load

MAP = "default::\nexample.private.io::harbor.internal.example.com\n"


def places(text: str) -> list[str]:
    """Give ``FILE:LINE:COL`` of each error of the rules in a pack."""
    errors = load([pack.read(text, "pack.yaml")]).errors
    return [str(error).partition(": ")[0] for error in errors]


def as_grep_says(text: str, part: str) -> str:
    """Give the place of a part of the text, as `grep -n` and a count of its columns would."""
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if part in line:
            return f"pack.yaml:{number}:{line.index(part) + 1}"
    raise AssertionError(part)


def problem(text: str) -> str:
    with pytest.raises(pack.InvalidPack) as caught:
        pack.read(text, "pack.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# imageSwap:\n",
        "default::\n",
        "default:\n",
        "default:: # imageChange: |-\n",
        MAP,
        "docker.io: harbor.example\n",
        "localhost:5000::h.io\n",
        "imageSwap::h.io\n",
        "imageSwap:5000::h.io\n",
        "noswap_wildcards::imageSwap,imageChange\n",
        "[EXACT]a:1::b:1\n[REPLACE]*/x::h.io\n",
        "no rule at all\n",
        "\ufeffdefault::\r\na.io::b.io\r\n",
        "\x00\x07\n",
    ],
)
def test_maps_are_no_packs(text: str) -> None:
    assert not pack.is_pack(text)


@pytest.mark.parametrize(
    "text",
    [
        "imageSwap:\n  imageChange: |-\n    default::\n",
        "\ufeffimageSwap:\r\n  imageChange: |-\r\n    default::\r\n",
        "pack:\n  imageSwap:\n",
        "  imageSwap :  {imageChange: x}\n",
        '"imageSwap": {}\n',
        "imageChange: x\n",
        "image-swap:\n",
        "imageswap: x\n",
        "rules: |-\n  default::\n",
        "# a comment\n\n---\na: b\n",
        "%YAML 1.1\n---\n",
        '{"imageSwap": {"imageChange": "default::"}}',
        "imageSwap:\n\timageChange: |-\n",
        "a: [\nimageSwap:\n",
    ],
)
def test_packs_are_known_by_their_content(text: str) -> None:
    assert pack.is_pack(text)


@pytest.mark.parametrize(
    "text", ["-" * 100_000, " " * 100_000 + "-", "a " * 100_000, "\n \n" * 9999]
)
def test_no_text_takes_long_to_tell(text: str) -> None:
    start = time.perf_counter()
    assert not pack.is_pack(text)
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    "text",
    [
        "imageSwap:\n  imageChange: |-\n    {map}",
        "pack: {a: 1}\n\nimageSwap:\n  # why\n  imageChange: |\n      {map}\nother: é\n",
        "é: ü\nimageSwap:\n    imageChange: |+   # keep\n\n        {map}\n\n",
        "imageSwap:\n  imageChange: |2-\n    {map}",
        "imageSwap:\n  imageChange: &rules\n    |\n    {map}",
        "imageSwap:\n  imageChange: !!str |\n    {map}",
        "base: &rules |\n  {map}\nimageSwap:\n  imageChange: *rules\n",
        "base: &block\n  x: 1\nimageSwap: &own\n  imageChange: |\n    {map}\nalso: *block\n",
        "---\nimageSwap:\n  imageChange: |\n    {map}...\n",
        "\ufeffimageSwap:\n  imageChange: |\n    {map}",
        "\"imageSwap\":\n  'imageChange': |\n    {map}",
        "a: 'line\u2028separator'\nimageSwap:\n  imageChange: |\n    {map}",
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_errors_in_a_block_stand_where_they_stand_in_the_file(text: str, line_end: str) -> None:
    lines = ["default::", "# comment", "", "  quay.io::http://q", "ghcr.io::h.io", "broken here"]
    indent = text.partition("{map}")[0].rpartition("\n")[2]
    block = f"\n{indent}".join(lines) + "\n"
    whole = text.replace("{map}", block).replace("\n", line_end)
    assert places(whole) == [
        as_grep_says(whole, "http://q"),
        as_grep_says(whole, "broken here"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "imageSwap:\n  imageChange: default::http://q\n",
        "imageSwap:\n  imageChange:   'default::http://q'  # why\n",
        'imageSwap:\n  imageChange: "default::http://q"\n',
        "imageSwap: {imageChange: default::http://q}\n",
        "imageSwap:\n  imageChange: '\ufeffdefault::http://q'\n",
        'a: 1\nimageSwap: {imageChange: &x "default::http://q"}\n',
        '{"imageSwap": {"imageChange": "default::http://q"}}',
    ],
)
def test_errors_in_a_text_of_one_line_too(text: str) -> None:
    assert places(text) == [as_grep_says(text, "http://q")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('imageSwap:\n  imageChange: "default::\\nquay.io::http://q"\n', "2:imageChange:2:10"),
        ('imageSwap:\n  imageChange: "default::http://\\x71"\n', "2:imageChange:1:10"),
        ("imageSwap:\n  imageChange: >-\n    default::http://q\n", "2:imageChange:1:10"),
        (
            "imageSwap:\n  imageChange: >\n    default::\n\n    a.io::http://q\n",
            "2:imageChange:2:7",
        ),
        ("imageSwap:\n  imageChange: 'default::\n\n    a.io::http://q'\n", "2:imageChange:2:7"),
    ],
)
def test_errors_elsewhere_name_the_line_of_the_text_and_the_line_in_it(
    text: str, expected: str
) -> None:
    assert places(text) == [f"pack.yaml:{expected}"]


def test_a_pack_swaps_as_its_map_does() -> None:
    indented = MAP.replace("\n", "\n    ").rstrip(" ")
    source = pack.read(f"imageSwap:\n  imageChange: |-\n    {indented}", "pack.yaml")
    engine = load([source]).engine
    swap = engine.swap("example.private.io/a/b:1")
    assert swap.target == "harbor.internal.example.com/a/b:1"
    assert [str(step.rule.origin) for step in swap.steps] == ["pack.yaml:4"]


@pytest.mark.parametrize(
    "text", ["imageSwap:\n  imageChange: ''\n", "imageSwap: {imageChange: ''}"]
)
def test_a_text_without_rules_is_a_map_without_rules(text: str) -> None:
    assert pack.read(text, "pack.yaml").text == ""


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "1:1", "there is nothing in this YAML file"),
        ("# only\n---\n", "1:1", "there is nothing in this YAML file"),
        ("a: 1\n", "1:1", "there is no `imageSwap` in this pack"),
        ("- imageSwap:\n", "1:1", "a pack is a YAML mapping"),
        ("text\n", "1:1", "a pack is a YAML mapping"),
        ("pack:\n  imageSwap:\n    imageChange: x\n", "2:3", "move `imageSwap` to the root"),
        ("a:\n- b:\n  - imageSwap: 1\n", "3:5", "move `imageSwap` to the root"),
        ("imageChange: |-\n  default::\n", "1:1", "move it into `imageSwap`"),
        (
            "imageSwap:\n  imageChange: x::y\npack:\n  imageSwap: 1\n",
            "4:3",
            "`imageSwap` stands where nothing reads it",
        ),
        (
            "imageSwap:\n  imageChange: x::y\nimageChange: 1\n",
            "3:1",
            "`imageChange` stands where nothing reads it",
        ),
        ("imageSwap:\n  a: {imageChange: x}\n", "2:3", "there is no `imageChange`"),
        ("imageSwap:\n", "1:11", "`imageSwap` holds empty"),
        ("imageSwap: |-\n  default::\n", "1:12", "`imageSwap` holds text"),
        ("imageSwap: []\n", "1:12", "`imageSwap` holds a list"),
        ("imageSwap: {}\n", "1:12", "there is no `imageChange` in `imageSwap`"),
        ("imageSwap:\n  imageChange:\n", "2:15", "`imageChange` is empty and not text"),
        ("imageSwap:\n  imageChange: 5\n", "2:16", "`imageChange` is `5` and not text"),
        ("imageSwap:\n  imageChange: [a]\n", "2:16", "`imageChange` is a list and not text"),
        ("imageSwap:\n  imageChange:\n    a: b\n", "3:5", "`imageChange` is a mapping"),
        ("imageswap:\n  imageChange: x\n", "1:1", "write `imageSwap`"),
        ("imageSwap:\n  image_changes: x\n", "2:3", "write `imageChange`"),
        ("imageSwap: {imageChange: a}\nimageSwap: {}\n", "2:1", "stands in line 1 already"),
        ("imageSwap:\n  imageChange: a\n  imageChange: b\n", "3:3", "stands in line 2 already"),
        ("imageSwap:\n  imageChange: |-\n  default::\n", "3:3", "indent every rule deeper"),
        ("imageSwap:\n  imageChange: |-\n  default::\n  a::b\n", "4:3", "indent every rule"),
        ("imageSwap:\n  imageChange: default:\n", "2:23", "mapping values are not allowed"),
        ("imageSwap:\n\timageChange: x\n", "2:1", "YAML takes no tabs"),
        ("imageSwap: {imageChange: x}\n---\na: 1\n", "3:1", "a second YAML document"),
        ("imageSwap: *x\n", "1:12", "found undefined alias 'x'"),
        ("a: [1\nimageSwap: {}\n", "2:10", "not valid YAML"),
        ("imageSwap:\n  imageChange: |\n    a\x07b\n", "3:6", "cannot hold this character"),
        ("é: \x85\nx: [\n", "3:1", "not valid YAML"),
        ("imageSwap:\n  imageChange: >\n    a::b\n    c::d\n", "2:16", "keeps the lines"),
        ("imageSwap:\n  imageChange: >\n    # c\n    a::b\n", "2:16", "keeps the lines"),
        ("imageSwap:\n  imageChange: a::b\n    c::d\n", "2:16", "keeps the lines"),
        ("imageSwap:\n  imageChange: !!python/object:os.x {}\n", "2:16", "is a mapping"),
        ("a: " + "[" * 5000, "1:1", "nested too deeply"),
    ],
)
def test_what_is_wrong_with_a_pack(text: str, place: str, message: str) -> None:
    said = problem(text)
    assert said.startswith(f"pack.yaml:{place}: error: ")
    assert message in said


def test_a_node_within_itself_is_read() -> None:
    text = "a: &a {b: *a}\nimageSwap:\n  imageChange: |-\n    default::\n"
    assert pack.read(text, "pack.yaml").text == "default::"


def test_errors_have_excerpts() -> None:
    with pytest.raises(pack.InvalidPack) as caught:
        pack.read("pack:\n  imageSwap:\n", "pack.yaml")
    assert caught.value.diagnostic.excerpt() == "      imageSwap:\n      ^^^^^^^^^"


def test_long_maps_are_read_fast() -> None:
    rules = "".join(f"    r{i}.example::h.example/{i}\n" for i in range(20_000))
    start = time.perf_counter()
    source = pack.read(f"imageSwap:\n  imageChange: |-\n{rules}", "pack.yaml")
    assert (source.line, source.indent) == (3, 4)
    assert time.perf_counter() - start < 5
