"""``imageswap diff``."""

import json

import pytest

from tests.cli.conftest import Shell

OLD = "default::\ndocker.io::a.example\nquay.io::q.example\n[REPLACE]x*::r.example\n"
OLD += "[REPLACE]xy*::s.example\n"
NEW = "default::\ndocker.io::b.example\n[REPLACE]xy*::s.example\n[REPLACE]x*::r.example\n"
NEW += "ghcr.io::g.example\n"
POD = "kind: Pod\nmetadata: {name: p%s}\nspec: {containers: [{name: c, image: nginx}]}\n"


@pytest.fixture
def shell(shell: Shell) -> Shell:
    shell.write("old.map", OLD)
    shell.write("new.map", NEW)
    return shell


def diff(shell: Shell, *arguments: str, stdin: str = "") -> tuple[int, str]:
    done = shell.run("diff", "--rules", "old.map", "--to", "new.map", *arguments, stdin=stdin)
    return done.returncode, done.stdout


def test_rules(shell: Shell) -> None:
    assert diff(shell) == (
        0,
        "- quay.io::q.example (old.map:3)\n"
        "+ ghcr.io::g.example (new.map:5)\n"
        "~ docker.io::a.example → docker.io::b.example (old.map:2, new.map:2)\n"
        "~ the [REPLACE] rules stand in another order\n",
    )


def test_equal_rules(shell: Shell) -> None:
    done = shell.run("diff", "--rules", "old.map", "--to", "old.map")
    assert (done.returncode, done.stdout) == (0, "")


def test_layers_on_both_sides(shell: Shell) -> None:
    done = shell.run("diff", "--rules", "old.map", "--to", "old.map", "--to", "new.map")
    assert "quay.io" not in done.stdout
    assert "ghcr.io::g.example" in done.stdout


def test_images(shell: Shell) -> None:
    images = "nginx\nquay.io/a:1\nghcr.io/b\nother.example/c\nxyz\nnginx\n"
    assert diff(shell, "--images", "-", stdin=images) == (
        0,
        "nginx: a.example/nginx → b.example/nginx\n"
        "    from: `docker.io::a.example` (old.map:2)\n"
        "    to: `docker.io::b.example` (new.map:2)\n"
        "quay.io/a:1: q.example/a:1 → quay.io/a:1\n"
        "    from: `quay.io::q.example` (old.map:3)\n"
        "    to: stays: `default::` (new.map:1) leaves it alone\n"
        "ghcr.io/b: ghcr.io/b → g.example/b\n"
        "    from: stays: `default::` (old.map:1) leaves it alone\n"
        "    to: `ghcr.io::g.example` (new.map:5)\n"
        "xyz: r.example/xyz → s.example/xyz\n"
        "    from: `[REPLACE]x*::r.example` (old.map:4)\n"
        "    to: `[REPLACE]xy*::s.example` (new.map:3)\n",
    )


def test_images_of_manifests(shell: Shell) -> None:
    shell.write("pod.yaml", POD % "" + "---\n" + POD % "2")
    code, shown = diff(shell, "pod.yaml")
    assert (code, shown.count("nginx: a.example/nginx")) == (0, 1)


def test_images_of_objects_that_opt_out_are_not_meant(shell: Shell) -> None:
    text = POD % ", labels: {k8s.twr.io/imageswap: disabled}"
    assert diff(shell, "-", stdin=text.replace("nginx", "ghcr.io/x")) == (0, "")


def test_errors_are_exit_code_1(shell: Shell) -> None:
    shell.write("bad.map", "broken\n")
    done = shell.run("diff", "--rules", "old.map", "--to", "bad.map")
    assert (done.returncode, done.stdout) == (1, "")
    assert "bad.map:1:1: error" in done.stderr
    code, shown = diff(shell, "--images", "missing", "-", stdin=POD % "")
    assert code == 1
    assert shown.startswith("nginx: ")


def test_json(shell: Shell) -> None:
    document = json.loads(diff(shell, "--output", "json")[1])
    assert sorted(document) == ["rules", "warnings"]
    rules = document["rules"]
    assert sorted(rules) == ["added", "changed", "removed", "reordered"]
    assert [rule["text"] for rule in rules["added"]] == ["ghcr.io::g.example"]
    assert [rule["line"] for rule in rules["removed"]] == [3]
    assert [pair["to"]["target"] for pair in rules["changed"]] == ["b.example"]
    assert rules["reordered"] is True
    shown = diff(shell, "--output", "json", "--images", "-", stdin="nginx\nother.example/c\n")[1]
    document = json.loads(shown)
    assert sorted(document) == ["images", "warnings"]
    (image,) = document["images"]
    assert image["source"] == "nginx"
    assert image["from"]["target"] == "a.example/nginx"
    assert image["to"]["rule"]["text"] == "docker.io::b.example"
