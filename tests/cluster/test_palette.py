"""The product as users meet it: Palette's documented configurations, by real `pulumi up`s.

The maps are those of Palette's image swap page, with the local registry in the place of its
example registries, so that the swapped images can be pulled and run.
"""

from collections.abc import Iterator

import pytest

from local.cluster import Cluster
from tests.cluster.kubectl import Kubectl, deployment
from tests.cluster.stack import Stack, program_of_the_checkout

PALETTE = {
    "override a specific registry": (
        "default::\nexample.private.io::{hub}",
        {
            "example.private.io/busybox:1.36": "{hub}/busybox:1.36",
            "quay.io/busybox:1.36": "quay.io/busybox:1.36",
        },
    ),
    "a global swap with an exception": (
        "default::{hub}\nexample.private.io::",
        {
            "quay.io/busybox:1.36": "{hub}/busybox:1.36",
            "example.private.io/busybox:1.36": "example.private.io/busybox:1.36",
        },
    ),
    "swap a specific image": (
        "default::\n[EXACT]example.private.io/demo:v1.0.0::{hub}/busybox:1.36",
        {
            "example.private.io/demo:v1.0.0": "{hub}/busybox:1.36",
            "example.private.io/demo:v1.0.1": "example.private.io/demo:v1.0.1",
        },
    ),
    "replace an image path": (
        "default::\n[REPLACE]ghcr.io/example*::{hub}",
        {
            "ghcr.io/example/team/busybox:1.36": "{hub}/busybox:1.36",
            "ghcr.io/other/busybox:1.36": "ghcr.io/other/busybox:1.36",
        },
    ),
}


def settings(hub: str, rules: str) -> dict[str, object]:
    return {
        "cluster": "kubeadm",
        "allowWithoutMirrors": True,
        "replicas": 1,
        "image": f"{hub}/python:3.11-slim",
        "registries": {hub.partition("/")[0]: {"scheme": "http"}},
        "pack": {"imageSwap": {"imageChange": rules.format(hub=hub)}},
    }


@pytest.fixture(scope="module")
def objects_before(kubectl: Kubectl) -> set[str]:
    return objects(kubectl)


@pytest.fixture(scope="module")
def stack(
    cluster: Cluster, objects_before: set[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("project")
    stack = program_of_the_checkout(folder, cluster.environment())
    yield stack
    stack.destroy()


def objects(kubectl: Kubectl) -> set[str]:
    """Everything on the cluster that an installation could leave behind."""
    kinds = (
        "namespaces,mutatingwebhookconfigurations,clusterroles,clusterrolebindings,"
        "configmaps,secrets,services,deployments,serviceaccounts"
    )
    listed = kubectl("get", kinds, "-A", "--output=name", "--show-kind")
    return {line for line in listed.splitlines() if line}


def test_preview_shows_everything_and_makes_nothing(
    stack: Stack, kubectl: Kubectl, hub: str, objects_before: set[str]
) -> None:
    stack.configure(**settings(hub, PALETTE["override a specific registry"][0]))
    shown = stack.preview()
    for kind in ("ImageSwap", "Certificate", "Rules", "WebhookServer", "Registration"):
        assert f"imageswap:index:{kind}" in shown
    assert objects(kubectl) == objects_before


@pytest.mark.parametrize("name", PALETTE)
def test_documented_configuration(stack: Stack, kubectl: Kubectl, hub: str, name: str) -> None:
    rules, images = PALETTE[name]
    stack.configure(**settings(hub, rules))
    stack.up()
    assert stack.output("rules").splitlines() == rules.format(hub=hub).splitlines()
    for number, (source, expected) in enumerate(images.items()):
        workload, target = f"palette-{number}", expected.format(hub=hub)
        kubectl.wait_for_swap(source, target)
        kubectl.apply(deployment(workload, source))
        try:
            assert kubectl.deployed_image(workload) == target
            if target.startswith(hub):
                kubectl("rollout", "status", f"deployment/{workload}", "--timeout=60s")
            pods = wait_for_pods(kubectl, workload)
            assert {pod["spec"]["containers"][0]["image"] for pod in pods} == {target}
            # A changed template of a ReplicaSet would make its Deployment start another.
            sets = kubectl.get("replicasets", f"--selector=app={workload}")["items"]
            assert len(sets) == 1
        finally:
            kubectl("delete", "deployment", workload, "--now", "--cascade=foreground")


def test_no_change_is_no_change(stack: Stack) -> None:
    assert stack.changes() == {}


def test_other_rules_roll_the_server_alone(stack: Stack, hub: str) -> None:
    (stack.folder / "base.map").write_text("default::\nquay.io::base.example\n")
    (stack.folder / "over.map").write_text(f"quay.io::{hub}\n")
    from_files = settings(hub, "")
    del from_files["pack"]
    stack.configure(**from_files, rules=["base.map", "over.map"])
    changed = stack.changes()
    assert stack.output("rules").splitlines() == ["default::", f"quay.io::{hub}"]
    assert set(changed) == {"imageswap-rules", "imageswap-deployment"}
    assert changed["imageswap-deployment"] == "update"
    assert stack.changes() == {}


def test_what_opted_out_is_left_alone(stack: Stack, kubectl: Kubectl) -> None:
    label = {"k8s.twr.io/imageswap": "disabled"}
    source = "quay.io/busybox:1.36"
    kubectl.apply(
        deployment("opted-out", source, labels=label),
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": "opted-out", "labels": label},
        },
    )
    kubectl.apply(deployment("within", source, namespace="opted-out"))
    try:
        assert kubectl.deployed_image("opted-out") == source
        assert kubectl.deployed_image("within", "opted-out") == source
    finally:
        kubectl("delete", "deployment", "opted-out", "--now")
        kubectl("delete", "namespace", "opted-out")


def test_mistakes_show_together_and_change_nothing(
    stack: Stack, kubectl: Kubectl, hub: str
) -> None:
    before = objects(kubectl)
    stack.configure(**settings(hub, "default::\nquay.io harbor.example\nquay.io::https://{hub}"))
    shown = stack.preview(code=1)
    assert "pack:imageSwap.imageChange:2:1: error: no `::`" in shown
    assert "pack:imageSwap.imageChange:3:10: error: the target" in shown
    stack.configure(cluster="eksx", rulez=["a.map"])
    shown = stack.preview(code=1)
    assert "`imageswap:rulez` is not a setting; did you mean `rules`?" in shown
    stack.configure(cluster="eks", rules=["a.map"], registryCredentials="{}")
    shown = stack.preview(code=1)
    assert "registryCredentials: it is not encrypted; `pulumi config set --secret" in shown
    stack.configure(cluster="k3s", rules=["missing.map"])
    shown = stack.preview(code=1)
    assert "requires mirror registries" in shown
    assert objects(kubectl) == before


def test_destroy_leaves_nothing(
    stack: Stack, kubectl: Kubectl, hub: str, objects_before: set[str]
) -> None:
    stack.configure(**settings(hub, "default::"))
    stack.destroy()
    kubectl("wait", "--for=delete", "namespace/imageswap-system", "--timeout=60s")
    assert objects(kubectl) == objects_before


def wait_for_pods(kubectl: Kubectl, app: str) -> list[dict[str, dict[str, list[dict[str, str]]]]]:
    kubectl("wait", "--for=create", "pod", f"--selector=app={app}", "--timeout=30s")
    pods: list[dict[str, dict[str, list[dict[str, str]]]]]
    pods = kubectl.get("pods", f"--selector=app={app}")["items"]
    return pods
