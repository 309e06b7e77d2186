"""What a daemon of a cluster is: a name, a command line, and what has to be up before it."""

from dataclasses import dataclass, field

ETCD = "127.0.0.1:2379"
API = "127.0.0.1:6443"
CONTAINERD = "/run/containerd/containerd.sock"


@dataclass(frozen=True)
class Daemon:
    """A program that runs as long as its cluster.

    Attributes:
        name: Its name, which is that of its log file too.
        argv: Its command line.
        after: The addresses that have to be listening before it is started: ``host:port``, or the
            path of a Unix socket.
    """

    name: str
    argv: list[str]
    after: list[str] = field(default_factory=list)
