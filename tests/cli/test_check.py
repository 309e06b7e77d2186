"""``imageswap check``."""

import json

import pytest

from tests.cli.conftest import Shell

MAP = "default::\ndocker.io::harbor.example/hub\nquay.io::harbor.example/quay\n"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  creationTimestamp: 2024-13-45T00:00:00Z
spec:
  template:
    spec:
      initContainers:
        - {name: init, image: quay.io/a/init:1}
      containers:
        - name: app
          image: nginx:1.25
        - name: sidecar
          image: ghcr.io/x/y:2
      volumes:
        - name: models
          image: {reference: quay.io/a/models:1}
"""
DEPLOYMENT_TEXT = """\
Deployment shop/web (%s)
    initContainers/init: quay.io/a/init:1 → harbor.example/quay/a/init:1
    app: nginx:1.25 → harbor.example/hub/nginx:1.25
    sidecar: ghcr.io/x/y:2 stays: `default::` (rules.map:1) leaves it alone
    volumes/models: quay.io/a/models:1 → harbor.example/quay/a/models:1
"""
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [{name: c, image: nginx}]}
"""


@pytest.fixture
def shell(shell: Shell) -> Shell:
    shell.write("rules.map", MAP)
    return shell


def check(shell: Shell, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
    done = shell.run("check", "--rules", "rules.map", *arguments, stdin=stdin)
    return done.returncode, done.stdout, done.stderr


def test_rules_alone(shell: Shell) -> None:
    assert check(shell) == (0, "3 rules; 0 errors, 0 warnings\n", "")


def test_errors_and_warnings_have_excerpts(shell: Shell) -> None:
    shell.write("rules.map", "default:\nquay.io::h.io:port/x  # why\n")
    code, shown, errors = check(shell)
    assert (code, shown) == (1, "1 error, 1 warning\n")
    assert "rules.map:1:8: warning: a single `:` as the separator is deprecated" in errors
    assert "    default:\n           ^\n" in errors
    assert "rules.map:2:10: error: the port `port`" in errors
    assert "    quay.io::h.io:port/x  # why\n             ^^^^^^^^^^^\n" in errors


def test_strict_takes_warnings_for_errors(shell: Shell) -> None:
    shell.write("rules.map", "default:\n")
    assert check(shell)[0] == 0
    assert check(shell, "--strict")[0] == 1


def test_manifest_files(shell: Shell) -> None:
    shell.write("web.yaml", DEPLOYMENT)
    code, shown, errors = check(shell, "web.yaml")
    assert (code, errors) == (0, "")
    assert shown == DEPLOYMENT_TEXT % "web.yaml:1" + (
        "3 rules; 4 images in 1 object: 3 to change, 1 to stay; 0 errors, 0 warnings\n"
    )


def test_streams_as_helm_prints_them(shell: Shell) -> None:
    text = f"---\n# Source: chart/templates/web.yaml\n{DEPLOYMENT}---\n# Source: empty\n---\n{POD}"
    code, shown, errors = check(shell, "-", stdin=text)
    assert (code, errors) == (0, "")
    assert shown.startswith(DEPLOYMENT_TEXT % "<stdin>:3")
    assert "Pod p (<stdin>:25)\n    c: nginx → harbor.example/hub/nginx\n" in shown


def test_lists_as_kubectl_prints_them(shell: Shell) -> None:
    items = "".join(f"- {DEPLOYMENT}".splitlines(keepends=True))
    indented = items.replace("\n", "\n  ").rstrip(" ")
    shell.write("list.yaml", f"apiVersion: v1\nitems:\n{indented}kind: List\n")
    code, shown, errors = check(shell, "list.yaml")
    assert (code, errors) == (0, "")
    assert shown.startswith(DEPLOYMENT_TEXT % "list.yaml:1")


def test_lists_of_the_api_leave_the_kind_of_their_items_out(shell: Shell) -> None:
    item = {"metadata": {"generateName": "x-"}, "spec": {"containers": [{"image": "nginx"}]}}
    shell.write("pods.json", json.dumps({"kind": "PodList", "items": [item]}, indent="\t"))
    code, shown, errors = check(shell, "pods.json")
    assert (code, errors) == (0, "")
    assert "Pod x-*" in shown


def test_an_empty_list_is_no_error(shell: Shell) -> None:
    code, shown, errors = check(shell, "-", stdin="apiVersion: v1\nitems: []\nkind: List\n")
    assert (code, shown, errors) == (0, "3 rules; 0 errors, 0 warnings\n", "")


def test_folders_are_read_with_those_below(shell: Shell) -> None:
    shell.write("k8s/b/web.yml", DEPLOYMENT)
    shell.write("k8s/a.json", json.dumps({"kind": "Pod", "spec": {"containers": []}}))
    shell.write("k8s/a.yaml", POD)
    shell.write("k8s/values.yaml", "image: nginx\n")
    shell.write("k8s/patch.yaml", "- op: remove\n")
    shell.write("k8s/README.md", "kind: Pod\n")
    code, shown, errors = check(shell, "k8s")
    assert (code, errors) == (0, "")
    assert [line for line in shown.splitlines() if "(k8s" in line] == [
        "Pod p (k8s/a.yaml:1)",
        "Deployment shop/web (k8s/b/web.yml:1)",
    ]


def test_what_the_webhook_leaves_alone_stays(shell: Shell) -> None:
    labelled = POD.replace("{name: p}", "{name: p, labels: {k8s.twr.io/imageswap: disabled}}")
    owned = DEPLOYMENT.replace("kind: Deployment", "kind: ReplicaSet").replace(
        "  name: web\n", "  name: web\n  ownerReferences: [{controller: yes, kind: Deployment}]\n"
    )
    code, shown, errors = check(shell, "-", stdin=f"{labelled}---\n{owned}")
    assert (code, errors) == (0, "")
    reason = "stays: the label k8s.twr.io/imageswap opts it out, or a controller owns the object"
    assert f"    c: nginx {reason}\n" in shown
    assert f"    app: nginx:1.25 {reason}\n" in shown
    assert "0 to change, 5 to stay" in shown
    _, shown, _ = check(shell, "--label", "other", "-", stdin=labelled)
    assert "c: nginx → harbor.example/hub/nginx" in shown


def test_anchors_and_odd_values_are_taken(shell: Shell) -> None:
    text = """\
kind: Pod
metadata: {name: 5, namespace: null}
base: &base {name: c, image: nginx}
other: [=, 0o7, !!int "3", !!binary "aGk=", 2024-99-99, ~]
spec:
  containers:
    - {<<: *base, name: d}
    - {name: number, image: 1.25}
    - {name: none, image: null}
    - {name: nothing}
    - text
"""
    code, shown, errors = check(shell, "-", stdin=text)
    assert (code, errors) == (0, "")
    assert "Pod 5 (<stdin>:1)\n    d: nginx → harbor.example/hub/nginx\n" in shown
    assert "number: 1.25 → harbor.example/hub/1.25" in shown
    assert "2 images in 1 object" in shown


def test_a_broken_document_is_an_error_and_the_rest_is_read(shell: Shell) -> None:
    broken = "kind: Pod\nspec: {containers: [\n"
    code, shown, errors = check(shell, "-", stdin=f"{POD}---\n{broken}---\n{DEPLOYMENT}")
    assert code == 1
    assert "<stdin>:8:1: error: not valid YAML, in the document that begins in line 5: " in errors
    assert "Pod p" in shown
    assert "Deployment shop/web (<stdin>:9)" in shown
    assert "1 error, 0 warnings" in shown


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("tabs.yaml", "kind: Pod\n\tspec: {}\n", "tabs.yaml:2:1: error: not valid YAML"),
        ("bad.json", '{"kind": "Pod",\n "spec" 1}', "bad.json:2:9: error: not valid JSON: "),
        ("tag.yaml", "kind: !Ref x\n", "tag.yaml:1:7: error: not valid YAML"),
        ("object.yaml", "kind: !!python/object:os.x {}\n", "object.yaml:1:7: error: not valid"),
        ("control.yaml", "kind: \x07\n", "control.yaml:1: error: not valid YAML"),
        ("deep.yaml", "kind: " + "[" * 100_000 + "]" * 100_000, "deep.yaml:1: error: the YAML"),
        ("deep.json", "[" * 100_000, "deep.json: error: its JSON is nested too deeply"),
        ("helm.yaml", "kind: Pod\nspec: {{ .x }\n", "render the template first"),
        ("empty.yaml", "", "empty.yaml: error: there is no Kubernetes object in it"),
        ("list.yaml", "- a\n", "list.yaml: error: there is no Kubernetes object in it"),
        ("text.yaml", "only\ntext\n", "text.yaml: error: there is no Kubernetes object in it"),
        ("latin.yaml", b"# \xe9", "latin.yaml:1:3: error: it is not UTF-8 text"),
    ],
)
def test_malformed_manifests(shell: Shell, name: str, text: str | bytes, message: str) -> None:
    shell.write(name, text)
    code, _, errors = check(shell, name)
    assert code == 1
    assert message in errors
    assert "Traceback" not in errors


def test_manifests_that_are_not_there(shell: Shell) -> None:
    (shell.folder / "empty").mkdir()
    code, _, errors = check(shell, "missing.yaml", "empty")
    assert code == 1
    assert "missing.yaml: error: cannot read it: No such file or directory\n" in errors
    assert "empty: error: there is no *.yaml, *.yml or *.json file in this folder\n" in errors


def test_a_swap_that_fails_is_a_warning_with_its_object(shell: Shell) -> None:
    shell.write("rules.map", "default::\nr.example/team::h.example\n")
    pod = POD.replace("nginx", "r.example/team")
    code, shown, errors = check(shell, "-", stdin=pod)
    assert code == 0
    assert errors.startswith("<stdin>:1: warning: Pod p, c: r.example/team is left as it is: ")
    assert "0 errors, 1 warning" in shown
    assert check(shell, "--strict", "-", stdin=pod)[0] == 1


def test_manifests_are_not_looked_at_with_bad_rules(shell: Shell) -> None:
    shell.write("rules.map", "broken\n")
    code, shown, errors = check(shell, "missing.yaml")
    assert (code, shown) == (1, "1 error, 0 warnings\n")
    assert "missing.yaml" not in errors


def test_json(shell: Shell) -> None:
    shell.write("rules.map", MAP.replace("default::", "default:"))
    shell.write("web.yaml", DEPLOYMENT)
    code, shown, errors = check(shell, "--output", "json", "web.yaml", "missing.yaml")
    document = json.loads(shown)
    assert code == 1
    assert errors == "missing.yaml: error: cannot read it: No such file or directory\n"
    assert sorted(document) == ["errors", "objects", "rules", "warnings"]
    assert document["rules"] == 3
    assert document["errors"] == [
        {
            "file": "missing.yaml",
            "line": None,
            "column": None,
            "message": "cannot read it: No such file or directory",
            "fix": None,
        }
    ]
    assert [warning["column"] for warning in document["warnings"]] == [8]
    (found,) = document["objects"]
    assert {k: v for k, v in found.items() if k != "images"} == {
        "file": "web.yaml",
        "line": 1,
        "kind": "Deployment",
        "namespace": "shop",
        "name": "web",
    }
    assert sorted(found["images"][0]) == [
        "changed",
        "container",
        "field",
        "reason",
        "rule",
        "source",
        "steps",
        "target",
        "warning",
    ]
    assert [(i["field"], i["container"], i["changed"], i["target"]) for i in found["images"]] == [
        ("initContainers", "init", True, "harbor.example/quay/a/init:1"),
        ("containers", "app", True, "harbor.example/hub/nginx:1.25"),
        ("containers", "sidecar", False, "ghcr.io/x/y:2"),
        ("volumes", "models", True, "harbor.example/quay/a/models:1"),
    ]


def test_json_of_bad_rules(shell: Shell) -> None:
    shell.write("rules.map", "broken\n")
    code, shown, errors = check(shell, "--output", "json")
    document = json.loads(shown)
    assert code == 1
    assert errors.startswith("rules.map:1:1: error: ")
    assert (document["rules"], document["objects"]) == (None, [])
    assert (document["errors"][0]["line"], document["errors"][0]["column"]) == (1, 1)
