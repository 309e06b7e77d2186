"""``imageswap swap``."""

import json

from tests.cli.conftest import Shell

MAP = """\
default::
docker.io::harbor.example/hub
quay.io/team/app::
a.example::b.example
b.example::c.example
noswap_wildcards::keep
"""
PACK = """\
pack:
  k8sHardening: True

imageSwap:
  imageChange: |-
    default::
    example.private.io::harbor.internal.example.com
"""


def test_prints_source_and_target_a_line(shell: Shell) -> None:
    shell.write("rules.map", "default::harbor.example\n")
    done = shell.run("swap", "--rules", "rules.map", "nginx:1.25", "quay.io/a/b")
    assert done.stdout == "nginx:1.25\tharbor.example/nginx:1.25\nquay.io/a/b\tharbor.example/a/b\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_takes_images_from_standard_input(shell: Shell) -> None:
    shell.write("rules.map", "default::harbor.example\n")
    done = shell.run("swap", "--rules", "rules.map", stdin=" nginx \n\nredis:7\r\n")
    assert done.stdout == "nginx\tharbor.example/nginx\nredis:7\tharbor.example/redis:7\n"


def test_bytes_that_are_no_text_stay_an_image_that_stays(shell: Shell) -> None:
    shell.write("rules.map", "default::harbor.example\n")
    done = shell.run("swap", "--rules", "rules.map", stdin=b"\xff\xfe\nnginx\n")
    assert done.stdout == "\\xff\\xfe\t\\xff\\xfe\nnginx\tharbor.example/nginx\n"
    assert done.returncode == 0


def test_every_error_of_a_bad_map_has_its_place(shell: Shell) -> None:
    shell.write("rules.map", "default::h.io\nno separator\n  [EXAKT]a::b\nquay.io::https://h.io\n")
    done = shell.run("swap", "--rules", "rules.map", "nginx")
    assert (done.returncode, done.stdout) == (1, "")
    starts = [line for line in done.stderr.splitlines() if line.startswith("rules.map:")]
    assert [line.split(" ")[0] for line in starts] == [
        "rules.map:2:1:",
        "rules.map:3:3:",
        "rules.map:4:10:",
    ]
    assert "      [EXAKT]a::b\n      ^^^^^^^\n" in done.stderr


def test_errors_of_all_layers_are_printed(shell: Shell) -> None:
    shell.write("a.map", "broken\n")
    shell.write("b.map", "default::\n::x\n")
    done = shell.run("swap", "--rules", "a.map", "--rules", "missing", "--rules", "b.map", "nginx")
    assert done.returncode == 1
    assert "a.map:1:1: error:" in done.stderr
    assert "b.map:2:1: error:" in done.stderr
    assert "missing: error: cannot read it: No such file or directory\n" in done.stderr


def test_later_layers_override_earlier_ones(shell: Shell) -> None:
    shell.write("base.map", "default::\ndocker.io::a.example\nquay.io::q.example\n")
    shell.write("prod.map", "docker.io::b.example\n")
    done = shell.run(
        "swap", "--rules", "base.map", "--rules", "prod.map", "nginx", "quay.io/x", "ghcr.io/y"
    )
    assert done.stdout == ("nginx\tb.example/nginx\nquay.io/x\tq.example/x\nghcr.io/y\tghcr.io/y\n")


def test_reads_a_pack(shell: Shell) -> None:
    shell.write("pack.yaml", PACK)
    done = shell.run("swap", "--rules", "pack.yaml", "example.private.io/a/b:1", "nginx")
    assert done.stdout == (
        "example.private.io/a/b:1\tharbor.internal.example.com/a/b:1\nnginx\tnginx\n"
    )


def test_errors_in_a_pack_have_the_places_of_the_file(shell: Shell) -> None:
    shell.write("pack.yaml", PACK.replace("example.private.io::", "example.private.io "))
    done = shell.run("swap", "--rules", "pack.yaml", "nginx")
    assert done.returncode == 1
    assert done.stderr.startswith("pack.yaml:7:5: error: no `::`")


def test_rules_can_come_from_standard_input(shell: Shell) -> None:
    done = shell.run("swap", "--rules", "-", "nginx", stdin="default::harbor.example\n")
    assert done.stdout == "nginx\tharbor.example/nginx\n"
    done = shell.run("swap", "--rules", "-", "nginx", stdin="broken\n")
    assert done.stderr.startswith("<stdin>:1:1: error:")


def test_standard_input_can_be_read_once_only(shell: Shell) -> None:
    assert shell.run("swap", "--rules", "-", "--rules", "-", "nginx").returncode == 2
    done = shell.run("swap", "--rules", "-")
    assert done.returncode == 2
    assert "usage: imageswap swap" in done.stderr


def test_explains_what_swaps_an_image(shell: Shell) -> None:
    shell.write("rules.map", MAP)
    done = shell.run("swap", "--rules", "rules.map", "--explain", "nginx", "a.example/x")
    assert done.stdout == (
        "nginx\tharbor.example/hub/nginx\n"
        "    `docker.io::harbor.example/hub` (rules.map:2) → harbor.example/hub/nginx\n"
        "a.example/x\tc.example/x\n"
        "    `a.example::b.example` (rules.map:4) → b.example/x\n"
        "    `b.example::c.example` (rules.map:5) → c.example/x\n"
    )


def test_explains_why_an_image_stays(shell: Shell) -> None:
    shell.write("rules.map", MAP + "[EXACT]ghcr.io/x:1::harbor.example/y:1\n")
    images = ("quay.io/team/app:1", "Not/valid", "q.example/keep", "q.example/x", "c.example/x")
    done = shell.run("swap", "--rules", "rules.map", "--explain", *images)
    assert done.stdout.splitlines()[1::2] == [
        "    stays: `quay.io/team/app::` (rules.map:3) leaves it alone",
        "    stays: `default::` (rules.map:1) leaves it alone",
        "    stays: it contains `keep` of `noswap_wildcards::keep` (rules.map:6)",
        "    stays: `default::` (rules.map:1) leaves it alone",
        "    stays: `default::` (rules.map:1) leaves it alone",
    ]


def test_explains_what_already_stands_under_a_target(shell: Shell) -> None:
    shell.write(
        "rules.map",
        "default::h.example\nquay.io::q.example/m\n[EXACT]ghcr.io/x:1::e.example/y:1\n",
    )
    images = ("h.example/a", "q.example/m/a", "e.example/y:1", "UPPER", "docker.io/a b")
    done = shell.run("swap", "--rules", "rules.map", "--explain", *images)
    assert done.stdout.splitlines()[1::2] == [
        "    stays: it stands under the target of `default::h.example` (rules.map:1) already",
        "    stays: it stands under the target of `quay.io::q.example/m` (rules.map:2) already",
        "    stays: it stands under the target of `[EXACT]ghcr.io/x:1::e.example/y:1` "
        "(rules.map:3) already",
        "    stays: not an image reference: a repository is lower-case: `upper`",
        "    stays: not an image reference: it holds white space (' ')",
    ]


def test_explains_that_there_is_no_default(shell: Shell) -> None:
    shell.write("rules.map", "[EXACT]a:1::b:1\n")
    done = shell.run("swap", "--rules", "rules.map", "--explain", "nginx")
    assert done.stdout.endswith("    stays: no rule applies, and there is no `default`\n")
    assert "warning: no `default` rule" in done.stderr


def test_a_swap_that_fails_is_a_warning(shell: Shell) -> None:
    shell.write("rules.map", "default::\nr.example/team::h.example\n")
    done = shell.run("swap", "--rules", "rules.map", "r.example/team:1")
    assert done.stdout == "r.example/team:1\tr.example/team:1\n"
    assert done.stderr.startswith("imageswap: warning: r.example/team:1 is left as it is: ")
    assert done.returncode == 0
    done = shell.run("swap", "--rules", "rules.map", "--explain", "r.example/team:1")
    assert "    stays: `r.example/team::h.example` (rules.map:2) would not make" in done.stdout


def test_json(shell: Shell) -> None:
    shell.write("rules.map", MAP)
    done = shell.run("swap", "--rules", "rules.map", "--output", "json", "a.example/x", "UPPER")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert sorted(document) == ["images", "warnings"]
    chained, left = document["images"]
    rule = {
        "text": "a.example::b.example",
        "kind": "prefix",
        "key": "a.example",
        "target": "b.example",
        "file": "rules.map",
        "line": 4,
    }
    assert chained["rule"] == rule
    assert [step["image"] for step in chained["steps"]] == ["b.example/x", "c.example/x"]
    assert chained["steps"][0]["rule"] == rule
    assert (chained["source"], chained["target"]) == ("a.example/x", "c.example/x")
    assert (chained["changed"], chained["reason"], chained["warning"]) == (True, None, None)
    assert left["rule"] is None
    assert left["reason"].startswith("not an image reference: ")
    assert sorted(document["warnings"][0]) == ["column", "file", "fix", "line", "message"]
    assert 4 in [warning["line"] for warning in document["warnings"]]


def test_json_leaves_errors_on_standard_error(shell: Shell) -> None:
    shell.write("rules.map", "broken\n")
    done = shell.run("swap", "--rules", "rules.map", "--output", "json", "nginx")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("rules.map:1:1: error:")
