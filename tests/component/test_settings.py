"""The settings as they are declared, documented and used in the examples."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pulumi_imageswap import clusters, settings, stack
from pulumi_imageswap.settings import ImageSwapArgs
from pulumi_imageswap.sources import InvalidRules, load_rules

CHECKOUT = Path(__file__).parents[2]
EXAMPLES = sorted((CHECKOUT / "stacks").glob("Pulumi.*.yaml"))
PROJECT = yaml.safe_load((CHECKOUT / "Pulumi.yaml").read_text())


def stack_settings(file: Path) -> dict[str, Any]:
    config = yaml.safe_load(file.read_text())["config"]
    return {
        key.removeprefix("imageswap:"): value
        for key, value in config.items()
        if key.startswith("imageswap:")
    }


def test_project_declares_every_setting_and_no_other() -> None:
    assert list(PROJECT["config"]) == list(stack._SETTINGS)
    arguments = [settings.argument_name(setting) for setting in stack._SETTINGS]
    assert sorted(arguments) == sorted(ImageSwapArgs.__annotations__)


def test_project_declares_the_defaults_of_the_component() -> None:
    assert PROJECT["config"]["image"]["default"] == settings.DEFAULT_IMAGE
    assert PROJECT["config"]["replicas"]["default"] == settings.DEFAULT_REPLICAS
    assert PROJECT["config"]["rememberFound"]["default"] == settings.DEFAULT_REMEMBER_FOUND
    assert PROJECT["config"]["rememberMissing"]["default"] == settings.DEFAULT_REMEMBER_MISSING


def test_project_declares_the_first_of_each_choice() -> None:
    for setting, known in settings.CHOICES.items():
        assert PROJECT["config"][setting]["default"] == known[0]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({}, "cluster: it is required; write one of eks,"),
        ({"cluster": "eks"}, "rules: there are none"),
        ({"failure_policy": "fail"}, "failurePolicy: `fail` is not one of Ignore, Fail; did you"),
        ({"missing_image": "swap", "registries": {}}, "registries: it is for asking registries"),
        ({"monitoring_labels": {}}, "monitoringLabels: nothing is made"),
        ({"namespaces": "optout"}, "did you mean `optOut`?"),
        ({"label": "a label"}, "label: `a label` is not the key of a label"),
        ({"replicas": 0}, "replicas: 0 would leave no server"),
        ({"replicas": 3, "max_replicas": 2}, "maxReplicas: 2 is less than `replicas`, 3"),
    ],
)
def test_wrong_settings_are_explained(args: ImageSwapArgs, says: str) -> None:
    assert says in "\n".join(settings.problems(args))


def test_right_settings_have_no_problems() -> None:
    args: ImageSwapArgs = {
        "cluster": "eks",
        "rules": ["a.map"],
        "label": "example.com/swap",
        "replicas": 2,
        "max_replicas": 2,
        "failure_policy": "Fail",
    }
    assert settings.problems(args) == []


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_example_stack_is_right(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHECKOUT)
    given = stack_settings(file)
    assert set(given) <= set(PROJECT["config"])
    allowed = given.get("allowWithoutMirrors", False)
    assert clusters.check(given["cluster"], allow_without_mirrors=allowed) == ""
    ruleset = load_rules(given.get("rules", []), given.get("pack"))
    assert ruleset.warnings == ()
    assert ruleset.engine.swap("busybox:1.36").changed


def test_later_layers_and_the_pack_override(tmp_path: Path) -> None:
    (tmp_path / "base.map").write_text("default::\nquay.io::base.example\nghcr.io::base.example\n")
    (tmp_path / "over.map").write_text("quay.io::over.example\ndocker.io::over.example\n")
    files = [str(tmp_path / name) for name in ("base.map", "over.map")]
    pack = {"imageSwap": {"imageChange": "docker.io::pack.example"}, "pack": {}}
    swap = load_rules(files, pack).engine.swap
    assert swap("ghcr.io/x").target == "base.example/x"
    assert swap("quay.io/x").target == "over.example/x"
    assert swap("nginx").target == "pack.example/nginx"


def test_file_may_be_a_pack_and_errors_are_at_its_own_places(tmp_path: Path) -> None:
    file = tmp_path / "pack.yaml"
    file.write_text("pack: {}\nimageSwap:\n  imageChange: |-\n    default::\n    quay.io::h.io\n")
    assert load_rules([str(file)], None).engine.swap("quay.io/x").target == "h.io/x"
    file.write_text("pack: {}\nimageSwap:\n  imageChange: |-\n    default::\n    quay.io h.io\n")
    with pytest.raises(InvalidRules, match=r"pack\.yaml:5:5: error: no `::`"):
        load_rules([str(file)], None)
    file.write_text("pack:\n  imageSwap:\n    imageChange: 'default::'\n")
    with pytest.raises(InvalidRules, match=r"pack\.yaml:2:3: error:"):
        load_rules([str(file)], None)


@pytest.mark.parametrize(
    "pack", [{}, {"imageSwap": "default::"}, {"imageSwap": {"imageChange": ["default::"]}}]
)
def test_pack_without_rules_is_an_error_that_says_where_they_belong(pack: dict[str, Any]) -> None:
    with pytest.raises(InvalidRules, match=r"imageSwap\.imageChange"):
        load_rules([], pack)


def test_unreadable_file_is_named() -> None:
    with pytest.raises(InvalidRules, match=r"rules: no/such\.map: No such file"):
        load_rules(["no/such.map"], None)


@pytest.mark.parametrize(
    ("cluster", "says"),
    [
        ("eks", ""),
        ("EKS", "did you mean `eks`?"),
        ("vax", "is not one of eks, aks, gke"),
        ("talos", "requires mirror registries"),
    ],
)
def test_support_table(cluster: str, says: str) -> None:
    problem = clusters.check(cluster, allow_without_mirrors=False)
    assert says in problem
    assert bool(problem) == bool(says)
    assert "mirror" not in clusters.check(cluster, allow_without_mirrors=True)
