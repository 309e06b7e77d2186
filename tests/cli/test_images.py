"""``imageswap images``."""

import json
import shutil
import subprocess

import pytest
import yaml

from tests.cli.conftest import Shell

DIGEST = "sha256:" + "0123456789abcdef" * 4
MAP = "default::\ndocker.io::harbor.example/hub\nquay.io::harbor.example/quay.io\n"
IMAGES = f"""\
nginx:1.20
quay.io/a/b@{DIGEST}
ghcr.io/stays
nginx:1.20
docker.io/library/redis
quay.io/a/b:2.0@{DIGEST}
quay.io/a/b:null
"""


@pytest.fixture
def shell(shell: Shell) -> Shell:
    shell.write("rules.map", MAP)
    shell.write("images", IMAGES)
    return shell


def images(shell: Shell, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
    done = shell.run("images", "--rules", "rules.map", *arguments, stdin=stdin)
    return done.returncode, done.stdout, done.stderr


def test_list(shell: Shell) -> None:
    assert images(shell, "--images", "images") == (
        0,
        "docker.io/library/redis\tharbor.example/hub/library/redis\n"
        "nginx:1.20\tharbor.example/hub/nginx:1.20\n"
        f"quay.io/a/b:2.0@{DIGEST}\tharbor.example/quay.io/a/b:2.0@{DIGEST}\n"
        "quay.io/a/b:null\tharbor.example/quay.io/a/b:null\n"
        f"quay.io/a/b@{DIGEST}\tharbor.example/quay.io/a/b@{DIGEST}\n",
        "",
    )


def test_manifests_beside_a_list(shell: Shell) -> None:
    pod = "kind: Pod\nspec: {containers: [{name: c, image: redis}]}\n---\n"
    pod += pod.replace("kind: Pod", "kind: Pod\nmetadata: {labels: {own: disabled}}")
    pod = pod.replace("redis}]}\n---\n", "redis:7}]}\n---\n", 1)
    shell.write("pod.yaml", pod)
    code, shown, _ = images(shell, "--label", "own", "--images", "-", "pod.yaml", stdin="nginx\n")
    assert (code, shown) == (
        0,
        "nginx\tharbor.example/hub/nginx\nredis:7\tharbor.example/hub/redis:7\n",
    )


def test_skopeo(shell: Shell) -> None:
    code, shown, errors = images(shell, "--images", "images", "--format", "skopeo")
    assert code == 0
    assert yaml.safe_load(shown) == {
        "docker.io": {"images": {"library/nginx": ["1.20"], "library/redis": ["latest"]}},
        "quay.io": {"images": {"a/b": ["null", DIGEST]}},
    }
    assert errors.startswith("imageswap: warning: no one destination of `skopeo sync`")


@pytest.mark.parametrize(
    ("rules", "image", "comment"),
    [
        ("quay.io::h.example/m/quay.io", "quay.io/a/b:1", "--scoped .* h.example/m"),
        ("quay.io/team::h.example/m", "quay.io/team/b:1", "--all --src yaml .* h.example/m"),
        ("docker.io/library::mirrors", "nginx", "--all --src yaml .* docker.io/mirrors"),
    ],
)
def test_skopeo_is_told_its_destination(shell: Shell, rules: str, image: str, comment: str) -> None:
    shell.write("rules.map", f"default::\n{rules}\n")
    code, shown, errors = images(shell, "--images", "-", "--format", "skopeo", stdin=image)
    assert (code, errors) == (0, "")
    first = shown.splitlines()[0]
    start, _, end = comment.partition(".*")
    assert first.startswith("# skopeo sync --all ")
    assert start in first
    assert first.endswith(end)


def test_skopeo_cannot_change_a_tag(shell: Shell) -> None:
    shell.write("rules.map", "default::\n[EXACT]quay.io/a/b:1::h.example/b:2\n")
    _, _, errors = images(shell, "--images", "-", "--format", "skopeo", stdin="quay.io/a/b:1")
    assert "no one destination" in errors


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="needs skopeo")
def test_skopeo_reads_it(shell: Shell) -> None:
    shell.write("rules.map", "default::\nquay.io::h.example/m/quay.io\n")
    _, shown, _ = images(shell, "--images", "images", "--format", "skopeo")
    shell.write("sync.yaml", shown)
    options = ("--dry-run", "--scoped", "--src", "yaml", "--dest", "docker")
    done = subprocess.run(
        ["skopeo", "sync", *options, "sync.yaml", "h.example/m"],
        cwd=shell.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f'to="docker://h.example/m/quay.io/a/b@{DIGEST}"' in done.stderr
    assert 'to="docker://h.example/m/quay.io/a/b:null"' in done.stderr


def test_regsync(shell: Shell) -> None:
    code, shown, errors = images(shell, "--images", "images", "--format", "regsync")
    assert (code, errors) == (0, "")
    document = yaml.safe_load(shown)
    assert document["version"] == 1
    assert document["sync"][1] == {
        "source": "nginx:1.20",
        "target": "harbor.example/hub/nginx:1.20",
        "type": "image",
    }
    assert len(document["sync"]) == 5


@pytest.mark.parametrize(
    ("form", "shown"),
    [("list", ""), ("skopeo", "{}\n"), ("regsync", "version: 1\nsync: []\n")],
)
def test_nothing_to_copy(shell: Shell, form: str, shown: str) -> None:
    assert images(shell, "--images", "-", "--format", form) == (0, shown, "")


def test_json(shell: Shell) -> None:
    code, shown, errors = images(shell, "--images", "images", "--output", "json")
    assert (code, errors) == (0, "")
    document = json.loads(shown)
    assert sorted(document) == ["images", "warnings"]
    assert document["images"][1] == {
        "source": "nginx:1.20",
        "target": "harbor.example/hub/nginx:1.20",
    }


def test_what_cannot_be_read_is_exit_code_1_after_the_rest(shell: Shell) -> None:
    code, shown, errors = images(shell, "--images", "-", "missing.yaml", stdin="nginx\n")
    assert (code, shown) == (1, "nginx\tharbor.example/hub/nginx\n")
    assert errors == "missing.yaml: error: cannot read it: No such file or directory\n"
    shell.write("rules.map", "broken\n")
    assert images(shell, "--images", "images")[:2] == (1, "")
