"""The decision, as data in and data out."""

from typing import Any

import pytest

from imageswap.admission.decision import Policy, decide
from imageswap.admission.workloads import KINDS
from imageswap.rules.ruleset import load
from imageswap.rules.syntax import Source

ENGINE = load([Source("default::\ndocker.io::h.io/hub", "rules.map")]).engine
TEMPLATE_KINDS = [kind for kind in KINDS if kind != "Pod"]


def workload(kind: str, spec: dict[str, Any], labels: dict[str, str] | None = None) -> Any:
    """An object of a kind around a Pod spec."""
    pod = {"metadata": {"labels": labels or {}}, "spec": spec}
    if kind == "Pod":
        return pod
    if kind == "CronJob":
        return {"metadata": {}, "spec": {"jobTemplate": {"spec": {"template": pod}}}}
    return {"metadata": {}, "spec": {"template": pod}}


def containers(*images: str, names: str = "abcdef") -> list[dict[str, str]]:
    return [{"name": name, "image": image} for name, image in zip(names, images, strict=False)]


def patch(request: dict[str, Any], policy: Policy | None = None) -> dict[str, str]:
    decision = decide(request, ENGINE, policy or Policy())
    return {change.field.pointer: change.swap.target for change in decision.changes}


def created(kind: str, obj: Any) -> dict[str, Any]:
    return {"kind": {"kind": kind}, "operation": "CREATE", "object": obj}


def updated(kind: str, old: Any, new: Any) -> dict[str, Any]:
    return {"kind": {"kind": kind}, "operation": "UPDATE", "object": new, "oldObject": old}


@pytest.mark.parametrize(
    ("kind", "at"),
    [
        ("Pod", ""),
        ("CronJob", "/spec/jobTemplate/spec/template"),
        *((kind, "/spec/template") for kind in TEMPLATE_KINDS if kind != "CronJob"),
    ],
)
def test_every_kind_and_list(kind: str, at: str) -> None:
    spec = {
        "initContainers": containers("one"),
        "containers": containers("quay.io/no", "two:1"),
        "ephemeralContainers": containers("three"),
        "volumes": [{"name": "v"}, {"name": "w", "image": {"reference": "four:2"}}],
    }
    assert patch(created(kind, workload(kind, spec))) == {
        f"{at}/spec/initContainers/0/image": "h.io/hub/one",
        f"{at}/spec/containers/1/image": "h.io/hub/two:1",
        f"{at}/spec/ephemeralContainers/0/image": "h.io/hub/three",
        f"{at}/spec/volumes/1/image/reference": "h.io/hub/four:2",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_label_opts_out(kind: str) -> None:
    obj = workload(kind, {"containers": containers("x")})
    obj["metadata"]["labels"] = {"k8s.twr.io/imageswap": "disabled"}
    assert patch(created(kind, obj)) == {}
    assert patch(created(kind, obj), Policy(label="other")) != {}
    obj["metadata"]["labels"] = {"k8s.twr.io/imageswap": "enabled"}
    assert patch(created(kind, obj)) != {}


def test_label_of_the_template_opts_it_out() -> None:
    labels = {"k8s.twr.io/imageswap": "disabled"}
    obj = workload("Deployment", {"containers": containers("x")}, labels)
    assert patch(created("Deployment", obj)) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_template_of_an_owned_object_stays_as_its_owner_wrote_it(kind: str) -> None:
    obj = workload(kind, {"containers": containers("x")})
    obj["metadata"]["ownerReferences"] = [{"controller": True, "kind": "Owner"}]
    assert bool(patch(created(kind, obj))) == (kind == "Pod")
    obj["metadata"]["ownerReferences"] = [{"kind": "Owner"}]
    assert patch(created(kind, obj)) != {}


@pytest.mark.parametrize("kind", KINDS)
def test_update_swaps_only_what_it_brings(kind: str) -> None:
    old = workload(kind, {"containers": containers("older", "other")})
    same = workload(kind, {"containers": containers("older", "other")}, {"new": "label"})
    assert patch(updated(kind, old, same)) == {}
    moved = workload(kind, {"containers": containers("other", "older", names="ba")})
    assert patch(updated(kind, old, moved)) == {}
    newer = workload(kind, {"containers": containers("older", "newer")})
    assert list(patch(updated(kind, old, newer)).values()) == ["h.io/hub/newer"]
    added = workload(kind, {"containers": containers("older", "other", "older")})
    assert list(patch(updated(kind, old, added)).values()) == ["h.io/hub/older"]


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"kind": "Pod"},
        {"kind": {"kind": ["Pod"]}, "object": {}},
        {"kind": {"kind": "ConfigMap"}, "object": {"spec": {"containers": containers("x")}}},
        created("Pod", None),
        created("Pod", []),
        created("Pod", {"spec": None}),
        created("Pod", {"spec": {"containers": "x"}}),
        created("Pod", {"spec": {"containers": [None, 1, {"image": 1}, {"image": ""}]}}),
        created("Pod", {"spec": {"volumes": [{"image": "x"}, {"image": {"reference": None}}]}}),
        created("Deployment", {"spec": {"template": []}}),
        created("Pod", {"metadata": {"labels": 1, "ownerReferences": 1}, "spec": {}}),
    ],
)
def test_malformed_objects_are_left_alone(request_: dict[str, Any]) -> None:
    assert decide(request_, ENGINE, Policy()) == ((), ())
