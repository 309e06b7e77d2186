"""A node of a cluster: containerd, the kubelet and kube-proxy, and their configuration."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local import debian, kubeconfig
from local.certificates import Authority
from local.daemon import API, CONTAINERD, Daemon
from local.instance import Instance
from local.layout import Layout

# What the kubelet would set in the kernel, for the whole machine: it is shown files that hold it.
# kubernetes/pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables.
_TUNABLES = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1000000,
    "kernel/keys/root_maxbytes": 25000000,
}


@dataclass(frozen=True)
class Node:
    """What is particular to one node.

    Attributes:
        name: Its name.
        address: Its address.
        pods: The network its Pods get their addresses from.
        control_group: The control group its Pods are in.
        pause_image: The image that holds a Pod's namespaces open.
        registry: The registry that it talks plain HTTP to.
    """

    name: str
    address: str
    pods: str
    control_group: str
    pause_image: str
    registry: str


def daemons(
    node: Node,
    instance: Instance,
    layout: Layout,
    authority: Authority,
    tools: Mapping[str, str],
) -> list[Daemon]:
    """Write a node's configuration and say what to run.

    Args:
        node: The node.
        instance: The cluster it belongs to.
        layout: The cluster's files.
        authority: The cluster's certificate authority.
        tools: Where the daemons see Kubernetes' own programs.

    Returns:
        The daemons.

    Raises:
        Failed: A certificate cannot be made.
    """
    folder = layout.home / "node"
    folder.mkdir()
    return [
        _containerd(node, layout, folder),
        _kubelet(node, instance, layout, folder, authority, tools["kubelet"]),
        _kube_proxy(node, instance, layout, folder, authority, tools["kube-proxy"]),
    ]


def stand_ins(layout: Layout) -> list[tuple[Path, str]]:
    """Write the files that stand in for settings of the whole machine.

    These are kernel settings, and the machine's name servers: they cannot be reached, and would
    otherwise be waited for, and written into every container.

    Args:
        layout: The cluster's files.

    Returns:
        The files, and what each is to be mounted over.
    """
    folder = layout.home / "stand-ins"
    folder.mkdir()
    contents = {f"/proc/sys/{name}": str(value) for name, value in _TUNABLES.items()}
    contents["/etc/resolv.conf"] = "# There is no name server in this cluster."
    mounts = []
    for target, content in contents.items():
        if os.path.lexists(target):
            source = folder / target.strip("/").replace("/", ".")
            source.write_text(f"{content}\n", encoding="utf-8")
            mounts.append((source, target))
    return mounts


def _containerd(node: Node, layout: Layout, folder: Path) -> Daemon:
    network = folder / "cni"
    hosts = folder / "certs.d" / node.registry
    network.mkdir()
    hosts.mkdir(parents=True)
    # ptp and not bridge: what a Pod sends to a Service of a neighbour then passes the node's rules
    # in both directions, without a kernel module that would see to that for bridges.
    _write_json(
        network / "10-pods.conflist",
        {
            "cniVersion": "0.4.0",
            "name": "pods",
            "plugins": [
                {
                    "type": "ptp",
                    "ipam": {
                        "type": "host-local",
                        "ranges": [[{"subnet": node.pods}]],
                        "routes": [{"dst": "0.0.0.0/0"}],
                    },
                },
                {"type": "portmap", "capabilities": {"portMappings": True}},
            ],
        },
    )
    # A host table, though it repeats the server: containerd 1.6 refuses the file without one.
    (hosts / "hosts.toml").write_text(
        f'server = "http://{node.registry}"\n\n[host."http://{node.registry}"]\n',
        encoding="utf-8",
    )
    config = folder / "containerd.toml"
    config.write_text(
        f"""\
version = 2

[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd-opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{node.pause_image}"
  # Profiles are loaded into the kernel of the machine and would stay there.
  disable_apparmor = true
  # For machines that are containers themselves and may not go below their own score.
  restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "{layout.inside(hosts.parent)}"

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{debian.cni_plugins()}"
  conf_dir = "{layout.inside(network)}"
""",
        encoding="utf-8",
    )
    return Daemon(
        "containerd", [str(debian.program("containerd")), "--config", layout.inside(config)]
    )


def _kubelet(
    node: Node,
    instance: Instance,
    layout: Layout,
    folder: Path,
    authority: Authority,
    program: str,
) -> Daemon:
    serving = authority.server("kubelet", [node.address], [node.name])
    client = authority.client("kubelet-identity", f"system:node:{node.name}", "system:nodes")
    identity = folder / "kubelet.kubeconfig"
    kubeconfig.write(identity, instance.label, instance.server, authority, client)
    config = folder / "kubelet.json"
    _write_json(
        config,
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": layout.inside(authority.pair.certificate)},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": layout.inside(serving.certificate),
            "tlsPrivateKeyFile": layout.inside(serving.key),
            "containerRuntimeEndpoint": f"unix://{CONTAINERD}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{node.control_group}",
            "enforceNodeAllocatable": [],
            "failCgroupV1": False,
            "failSwapOn": False,
            "resolvConf": "/etc/resolv.conf",
            "volumePluginDir": "/var/lib/kubelet/volume-plugins",
            # A full disk or memory is the machine's business: no Pod is evicted and no image
            # removed because of it.
            "evictionHard": {
                "imagefs.available": "0%",
                "imagefs.inodesFree": "0%",
                "memory.available": "0%",
                "nodefs.available": "0%",
                "nodefs.inodesFree": "0%",
                "pid.available": "0%",
            },
            "imageGCHighThresholdPercent": 100,
            # Short of memory, the kernel should not spare the kubelet and end a user's program.
            "oomScoreAdj": 0,
            "serializeImagePulls": False,
        },
    )
    return Daemon(
        "kubelet",
        [
            program,
            f"--config={layout.inside(config)}",
            f"--kubeconfig={layout.inside(identity)}",
            f"--hostname-override={node.name}",
            f"--node-ip={node.address}",
        ],
        [API, CONTAINERD],
    )


def _kube_proxy(
    node: Node,
    instance: Instance,
    layout: Layout,
    folder: Path,
    authority: Authority,
    program: str,
) -> Daemon:
    client = authority.client("kube-proxy", "system:kube-proxy")
    identity = folder / "kube-proxy.kubeconfig"
    kubeconfig.write(identity, instance.label, instance.server, authority, client)
    return Daemon(
        "kube-proxy",
        [
            program,
            f"--kubeconfig={layout.inside(identity)}",
            f"--hostname-override={node.name}",
            "--proxy-mode=iptables",
            f"--cluster-cidr={instance.pods}",
            # The size of the connection table is one number for the whole machine.
            "--conntrack-max-per-core=0",
            "--oom-score-adj=0",
        ],
        [API],
    )


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
