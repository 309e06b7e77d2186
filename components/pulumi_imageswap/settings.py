"""The settings of ``ImageSwap``: what they are, and what is wrong with those given."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict

import pulumi

from pulumi_imageswap import clusters

DEFAULT_IMAGE = "docker.io/library/python:3.13-slim"
DEFAULT_REPLICAS = 2
DEFAULT_REMEMBER_FOUND, DEFAULT_REMEMBER_MISSING = 600, 30
DEFAULT_PRIORITY_CLASS = "system-cluster-critical"

CHOICES: Mapping[str, tuple[str, ...]] = {
    "targets": ("templates", "pods"),
    "mode": ("swap", "audit"),
    "namespaces": ("optOut", "optIn"),
    "failurePolicy": ("Ignore", "Fail"),
    "missingImage": ("source", "swap"),
}
"""The values of the settings that have a few; the first is the default."""

# Source: the label keys of the Kubernetes documentation, "Labels and Selectors".
_LABEL_KEY = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
)


class RegistryArgs(TypedDict, total=False):
    """How the webhook speaks to a registry that it asks for images."""

    ca: pulumi.Input[str]
    """The CAs that its certificate is trusted by besides those of the system, PEM."""
    insecure_skip_verify: pulumi.Input[bool]
    """Trust any certificate. False by default."""
    scheme: pulumi.Input[str]
    """`http` for a registry without TLS. `https` by default."""


class ImageSwapArgs(TypedDict, total=False):
    """The settings of ``ImageSwap``."""

    cluster: str
    """The kind of cluster: eks, aks or gke (managed), or kubeadm, k3s, rke2, talos, openshift or
    palette (non-managed). Required."""
    allow_without_mirrors: bool
    """Accept a non-managed cluster without mirror registries. False by default."""
    rules: pulumi.Input[Sequence[pulumi.Input[str]]]
    """Rule map files, or Palette packs; a later one overrides earlier ones key by key."""
    pack: pulumi.Input[Mapping[str, Any]]
    """The content of a Palette Kubernetes pack, whole or its `imageSwap` block; it overrides
    `rules` key by key."""
    namespace: str
    """The namespace to make for the webhook. By default the component's name and `-system`."""
    image: pulumi.Input[str]
    """The Python image (3.11 or newer) that the server runs on; it is passed through the rules.
    `docker.io/library/python:3.13-slim` by default."""
    replicas: pulumi.Input[int]
    """How many replicas of the server to run. 2 by default."""
    max_replicas: pulumi.Input[int]
    """Scale the server by its load up to so many replicas. By default it is not scaled."""
    priority_class: str
    """The priority class of the server's Pods. `system-cluster-critical` by default."""
    network_policy: bool
    """Restrict the server's traffic to its own ports by a NetworkPolicy. False by default."""
    monitoring: bool
    """Make a ServiceMonitor, a PrometheusRule with alerts and a Grafana dashboard. The cluster must
    have the Prometheus operator. False by default."""
    monitoring_labels: Mapping[str, str]
    """Labels by which the operator's Prometheus selects what it takes, such as `release:
    prometheus`."""
    targets: str
    """`templates` swaps Pod templates as well as Pods; `pods` leaves templates as written, for
    tools that would see a difference. `templates` by default."""
    mode: str
    """`audit` decides, logs, counts and warns, and changes nothing. `swap` by default."""
    record_source: bool
    """Keep the source images in the annotation `imageswap.io/source-images` of the object. False
    by default."""
    label: str
    """The key of the label by which objects and namespaces opt out (`disabled`), and namespaces
    opt in (`enabled`). `k8s.twr.io/imageswap` by default."""
    namespaces: str
    """`optOut` swaps in all namespaces but those labelled `disabled`; `optIn` only in those
    labelled `enabled`. `optOut` by default."""
    include_kube_system: bool
    """Swap in `kube-system` too. False by default."""
    missing_image: str
    """`source` asks the target's registry before an image is swapped, and keeps the source where
    the image is not to be located there; `swap` swaps without asking. `source` by default."""
    registries: Mapping[str, RegistryArgs]
    """With `source`: how to speak to registries, by registry as images name it (with its port)."""
    registry_credentials: pulumi.Input[str]
    """With `source`: what to log in to registries with, the content of a
    `kubernetes.io/dockerconfigjson` Secret. It stays a secret."""
    remember_found: int
    """With `source`: for how many seconds an image that is there is not asked for again. 600 by
    default."""
    remember_missing: int
    """With `source`: for how many seconds any other answer holds. 30 by default."""
    failure_policy: str
    """What the API server does with an object when no replica answers: `Ignore` makes it with its
    source images, `Fail` refuses it. `Ignore` by default."""


def problems(args: ImageSwapArgs) -> list[str]:
    """Say everything that is wrong with settings that are known before anything is made."""
    found: list[str] = []
    if "cluster" in args:
        mirrors = args.get("allow_without_mirrors", False)
        found.append(clusters.check(args["cluster"], allow_without_mirrors=mirrors))
    else:
        known = ", ".join((*clusters.MANAGED, *clusters.NON_MANAGED))
        found.append(f"cluster: it is required; write one of {known}")
    if args.get("rules") is None and args.get("pack") is None:
        found.append("rules: there are none; give map files as `rules`, or a `pack`")
    found.extend(_wrong_choices(args))
    if choice(args, "missingImage") != "source":
        found.extend(
            f"{setting}: it is for asking registries, which `missingImage: swap` does not do; "
            "delete one of the two"
            for setting in ("registries", "registryCredentials")
            if args.get(argument_name(setting)) is not None
        )
    if args.get("monitoring_labels") is not None and not args.get("monitoring", False):
        found.append(
            "monitoringLabels: nothing is made that they would be on; set `monitoring: true`"
        )
    label = args.get("label")
    if label is not None and not _LABEL_KEY.fullmatch(label):
        found.append(f"label: `{label}` is not the key of a label; write one as `example.com/name`")
    least, most = args.get("replicas", DEFAULT_REPLICAS), args.get("max_replicas")
    if isinstance(least, int) and least < 1:
        found.append(f"replicas: {least} would leave no server; write 1 or more")
    if isinstance(least, int) and isinstance(most, int) and most < least:
        found.append(f"maxReplicas: {most} is less than `replicas`, {least}; write {least} or more")
    return [problem for problem in found if problem]


def choice(args: ImageSwapArgs, setting: str) -> str:
    """Give the value of a setting of ``CHOICES``: the given one or the default."""
    value = args.get(argument_name(setting))
    return str(value) if value is not None else CHOICES[setting][0]


def _wrong_choices(args: ImageSwapArgs) -> Iterator[str]:
    for setting, known in CHOICES.items():
        value = choice(args, setting)
        if value not in known:
            near = difflib.get_close_matches(value, known, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            yield f"{setting}: `{value}` is not one of {', '.join(known)}{hint}"


def argument_name(setting: str) -> str:
    """Give the name in Python of what a stack's configuration calls ``setting``."""
    return re.sub(r"[A-Z]", lambda letter: f"_{letter.group().lower()}", setting)
