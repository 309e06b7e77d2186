"""Every option of the component that changes what happens in a cluster, turned on."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.cluster import Cluster
from tests.cluster.kubectl import Kubectl, deployment
from tests.cluster.stack import Stack, program_of_the_checkout
from tests.monitoring.tools import operator_api

CREDENTIALS = json.dumps({"auths": {"other.example": {"auth": "dTpw"}}})
NAMESPACE, LABEL = "opted-in", "swap.example/mode"
SOURCE = "quay.io/busybox:1.36"


@pytest.fixture(scope="module")
def settings(hub: str) -> dict[str, Any]:
    return {
        "cluster": "eks",
        "namespace": "swapper",
        "image": f"{hub}/python:3.11-slim",
        "registries": {hub.partition("/")[0]: {"scheme": "http"}},
        "rememberMissing": 1,
        "pack": {"imageSwap": {"imageChange": f"default::\nquay.io::{hub}"}},
        "replicas": 1,
        "maxReplicas": 3,
        "networkPolicy": True,
        "monitoring": True,
        "monitoringLabels": {"release": "prometheus"},
        "targets": "pods",
        "recordSource": True,
        "label": LABEL,
        "namespaces": "optIn",
        "includeKubeSystem": True,
        "failurePolicy": "Fail",
    }


@pytest.fixture(scope="module")
def stack(
    cluster: Cluster,
    kubectl: Kubectl,
    settings: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    stack = program_of_the_checkout(tmp_path_factory.mktemp("options"), cluster.environment())
    kubectl("create", "-f", "-", stdin=json.dumps(operator_api("servicemonitors")))
    kubectl("create", "-f", "-", stdin=json.dumps(operator_api("prometheusrules")))
    stack.configure(**settings)
    stack.configure_secret("registryCredentials", CREDENTIALS)
    stack.up()
    kubectl.apply(namespace(NAMESPACE, {LABEL: "enabled"}))
    yield stack
    stack.destroy()
    kubectl("delete", "namespace", NAMESPACE)
    kinds = [f"{kind}.monitoring.coreos.com" for kind in ("servicemonitors", "prometheusrules")]
    kubectl("delete", "customresourcedefinitions", *kinds)


def namespace(name: str, labels: dict[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def dry_run(kubectl: Kubectl, namespace: str, *, labels: str = "") -> dict[str, Any]:
    """What the API server would make of a Pod."""
    created: dict[str, Any] = json.loads(
        kubectl(
            "run",
            "probe",
            f"--image={SOURCE}",
            f"--namespace={namespace}",
            f"--labels={labels}",
            "--dry-run=server",
            "--output=json",
        )
    )
    return created


def image(pod: dict[str, Any]) -> str:
    return str(pod["spec"]["containers"][0]["image"])


@pytest.mark.usefixtures("stack")
class TestOptions:
    def test_only_namespaces_that_opted_in_are_swapped(self, kubectl: Kubectl, hub: str) -> None:
        assert image(dry_run(kubectl, NAMESPACE)) == f"{hub}/busybox:1.36"
        assert image(dry_run(kubectl, "default")) == SOURCE
        assert image(dry_run(kubectl, "kube-system")) == SOURCE
        kubectl("label", "namespace", "kube-system", f"{LABEL}=enabled")
        try:
            assert image(dry_run(kubectl, "kube-system")) == f"{hub}/busybox:1.36"
        finally:
            kubectl("label", "namespace", "kube-system", f"{LABEL}-")

    def test_own_label_opts_an_object_out(self, kubectl: Kubectl) -> None:
        assert image(dry_run(kubectl, NAMESPACE, labels=f"{LABEL}=disabled")) == SOURCE

    def test_templates_stay_as_written_and_their_pods_are_swapped(
        self, kubectl: Kubectl, hub: str
    ) -> None:
        kubectl.apply(deployment("written", SOURCE, namespace=NAMESPACE))
        assert kubectl.deployed_image("written", NAMESPACE) == SOURCE
        scope = f"--namespace={NAMESPACE}"
        kubectl("rollout", "status", "deployment/written", scope, "--timeout=60s")
        (pod,) = kubectl.get("pods", scope, "--selector=app=written")["items"]
        assert image(pod) == f"{hub}/busybox:1.36"
        recorded = pod["metadata"]["annotations"]["imageswap.io/source-images"]
        assert json.loads(recorded) == {"main": SOURCE}

    def test_image_that_its_target_lacks_comes_from_its_source(
        self, kubectl: Kubectl, hub: str
    ) -> None:
        absent = "quay.io/absent:1"
        scope = (f"--namespace={NAMESPACE}", "--dry-run=server", "--output=json")
        pod = json.loads(kubectl("run", "probe", f"--image={absent}", *scope))
        assert image(pod) == absent
        (warning,) = kubectl.warnings
        assert warning.startswith(f"Warning: probe: {absent} is kept: ")
        assert hub.partition("/")[0] in warning

    def test_credentials_are_in_a_secret_alone(self, stack: Stack, kubectl: Kubectl) -> None:
        scope = "--namespace=swapper"
        assert "dTpw" not in kubectl("get", "configmaps,deployments", scope, "--output=yaml")
        assert "dTpw" not in stack("stack", "export")
        types = {secret["type"] for secret in kubectl.get("secrets", scope)["items"]}
        assert types == {"kubernetes.io/tls", "kubernetes.io/dockerconfigjson"}

    def test_objects_around_the_server(self, kubectl: Kubectl) -> None:
        scope = "--namespace=swapper"
        budget = kubectl.get("poddisruptionbudget", "imageswap", scope)
        assert budget["spec"]["maxUnavailable"] == 1
        scaler = kubectl.get("horizontalpodautoscaler", "imageswap", scope)["spec"]
        assert (scaler["minReplicas"], scaler["maxReplicas"]) == (1, 3)
        policy = kubectl.get("networkpolicy", "imageswap", scope)["spec"]
        assert policy["policyTypes"] == ["Ingress", "Egress"]
        (pod,) = kubectl.get("pods", scope)["items"]
        assert pod["spec"]["priorityClassName"] == "system-cluster-critical"
        webhook = kubectl.get("mutatingwebhookconfiguration", "imageswap")["webhooks"][0]
        assert webhook["failurePolicy"] == "Fail"
        assert webhook["timeoutSeconds"] == 5
        assert webhook["reinvocationPolicy"] == "IfNeeded"

    def test_restricted_pod_security_and_no_rights(self, kubectl: Kubectl) -> None:
        scope = "--namespace=swapper"
        restricted = "pod-security.kubernetes.io/enforce=restricted"
        shown = kubectl("label", "namespace", "swapper", restricted, "--dry-run=server")
        assert "existing pods" not in shown
        (pod,) = kubectl.get("pods", scope)["items"]
        assert not [v for v in pod["spec"]["volumes"] if "projected" in v]
        bindings = kubectl.get("rolebindings,clusterrolebindings", "-A")["items"]
        assert not [b for b in bindings if b["metadata"].get("namespace") == "swapper"]

    def test_metrics_are_served(self, kubectl: Kubectl) -> None:
        dry_run(kubectl, NAMESPACE)
        path = "/api/v1/namespaces/swapper/services/imageswap:metrics/proxy/metrics"
        assert 'imageswap_admissions_total{kind="Pod",outcome="swapped"}' in kubectl(
            "get", "--raw", path
        )

    def test_monitoring_is_there_for_the_operator(self, kubectl: Kubectl) -> None:
        scope = "--namespace=swapper"
        monitor = kubectl.get("servicemonitor", "imageswap", scope)
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
        assert [endpoint["port"] for endpoint in monitor["spec"]["endpoints"]] == ["metrics"]
        assert kubectl.get("prometheusrule", "imageswap", scope)["spec"]["groups"]
        assert "dashboard" in kubectl("get", "configmap", "imageswap-dashboard", scope, "-o=yaml")

    def test_audit_warns_and_changes_nothing(
        self, stack: Stack, kubectl: Kubectl, settings: dict[str, Any], hub: str
    ) -> None:
        stack.configure(**{**settings, "mode": "audit"})
        stack.configure_secret("registryCredentials", CREDENTIALS)
        assert stack.changes() == {"imageswap-deployment": "update"}
        kubectl.wait_for_swap(SOURCE, SOURCE, NAMESPACE)
        assert image(dry_run(kubectl, NAMESPACE)) == SOURCE
        assert kubectl.warnings == [
            f"Warning: probe: imageswap audits only: {SOURCE} would become {hub}/busybox:1.36"
        ]
