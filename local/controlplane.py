"""The control plane of a cluster: etcd, the API server, its controllers and the scheduler."""

from collections.abc import Mapping

from local import debian, kubeconfig
from local.certificates import Authority, Pair
from local.daemon import API, ETCD, Daemon
from local.instance import Instance
from local.layout import Layout


def daemons(
    instance: Instance, layout: Layout, authority: Authority, tools: Mapping[str, str]
) -> list[Daemon]:
    """Make the control plane's certificates and say what to run.

    Args:
        instance: The cluster.
        layout: Its files.
        authority: Its certificate authority.
        tools: Where the daemons see Kubernetes' own programs.

    Returns:
        The daemons.

    Raises:
        Failed: A certificate cannot be made.
    """
    accounts = authority.client("service-accounts", "service-accounts")
    return [
        _etcd(),
        _api_server(instance, layout, authority, accounts, tools["kube-apiserver"]),
        _controller_manager(
            instance, layout, authority, accounts, tools["kube-controller-manager"]
        ),
        _scheduler(instance, layout, authority, tools["kube-scheduler"]),
    ]


def _etcd() -> Daemon:
    # Every start begins anew, so nothing has to survive a power cut.
    return Daemon(
        "etcd",
        [
            str(debian.program("etcd")),
            "--data-dir=/var/lib/etcd",
            "--unsafe-no-fsync",
            f"--listen-client-urls=http://{ETCD}",
            f"--advertise-client-urls=http://{ETCD}",
            "--listen-peer-urls=http://127.0.0.1:2380",
            "--log-level=warn",
        ],
    )


def _api_server(
    instance: Instance, layout: Layout, authority: Authority, accounts: Pair, program: str
) -> Daemon:
    service = "kubernetes.default.svc"
    serving = authority.server(
        "kube-apiserver",
        [instance.node_address, instance.api_service, "127.0.0.1"],
        ["localhost", "kubernetes", "kubernetes.default", service, f"{service}.cluster.local"],
    )
    to_kubelets = authority.client("kubelet-client", "kube-apiserver", "system:masters")
    signer = layout.inside(authority.pair.certificate)
    return Daemon(
        "kube-apiserver",
        [
            program,
            f"--advertise-address={instance.node_address}",
            "--allow-privileged=true",
            "--authorization-mode=Node,RBAC",
            f"--client-ca-file={signer}",
            f"--etcd-servers=http://{ETCD}",
            f"--kubelet-certificate-authority={signer}",
            f"--kubelet-client-certificate={layout.inside(to_kubelets.certificate)}",
            f"--kubelet-client-key={layout.inside(to_kubelets.key)}",
            # Nothing resolves the names of nodes.
            "--kubelet-preferred-address-types=InternalIP",
            f"--service-account-issuer=https://{service}.cluster.local",
            f"--service-account-key-file={layout.inside(accounts.certificate)}",
            f"--service-account-signing-key-file={layout.inside(accounts.key)}",
            f"--service-cluster-ip-range={instance.services}",
            f"--tls-cert-file={layout.inside(serving.certificate)}",
            f"--tls-private-key-file={layout.inside(serving.key)}",
        ],
        [ETCD],
    )


def _controller_manager(
    instance: Instance, layout: Layout, authority: Authority, accounts: Pair, program: str
) -> Daemon:
    name = "kube-controller-manager"
    signer = layout.inside(authority.pair.certificate)
    return Daemon(
        name,
        [
            program,
            f"--kubeconfig={_identity(instance, layout, authority, name)}",
            "--leader-elect=false",
            "--use-service-account-credentials=true",
            f"--root-ca-file={signer}",
            f"--service-account-private-key-file={layout.inside(accounts.key)}",
            f"--cluster-signing-cert-file={signer}",
            f"--cluster-signing-key-file={layout.inside(authority.pair.key)}",
        ],
        [API],
    )


def _scheduler(instance: Instance, layout: Layout, authority: Authority, program: str) -> Daemon:
    name = "kube-scheduler"
    return Daemon(
        name,
        [
            program,
            f"--kubeconfig={_identity(instance, layout, authority, name)}",
            "--leader-elect=false",
        ],
        [API],
    )


def _identity(instance: Instance, layout: Layout, authority: Authority, name: str) -> str:
    """Make the kubeconfig of a component, whose user RBAC's default roles are bound to."""
    path = authority.folder / f"{name}.kubeconfig"
    client = authority.client(name, f"system:{name}")
    kubeconfig.write(path, instance.label, instance.server, authority, client)
    return layout.inside(path)
