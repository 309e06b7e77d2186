"""The command line, ``python3 -m local COMMAND``: starts, shows and ends the local clusters."""

import argparse
import os
import shlex
import signal
import sys

from local.cluster import Cluster
from local.errors import Failed
from local.instance import DEFAULT, NAMES
from local.outcome import FAILED, exit_code

_EXPORTED = ("PATH", "PULUMI_HOME", "PULUMI_SKIP_UPDATE_CHECK", "KUBECONFIG")
_EXPORTED_WITH_PROXY = ("NO_PROXY", "no_proxy")


def main() -> int:
    """Do what the command line says.

    Returns:
        The exit code: 0 when done, 1 when it failed or the cluster is not running, 3 when this
        machine cannot do it, 128 and the signal's number when interrupted.
    """
    options = _parser().parse_args()
    try:
        code = exit_code(lambda: _run(options))
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Whoever reads the output, such as head, has enough; the interpreter must not try again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _run(options: argparse.Namespace) -> int:
    cluster = Cluster.named(options.name)
    if options.command == "up":
        cluster.up()
        print(_description(cluster))
        return 0
    if options.command == "down":
        cluster.down()
        return 0
    if options.command == "status":
        return _status(cluster)
    if options.command == "kubeconfig":
        return _kubeconfig(cluster)
    if options.command == "logs":
        return _logs(cluster, options.component)
    return _env(cluster)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m local", description="A real Kubernetes cluster on this machine."
    )
    parent = argparse.ArgumentParser(add_help=False)
    parent.add_argument(
        "--name", choices=NAMES, default=DEFAULT, help=f"which cluster (default: {DEFAULT})"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in (
        ("up", "start it, empty; build what is missing first"),
        ("down", "end it and remove everything of it"),
        ("status", "say how it is; exit code 1 where it is not running"),
        ("kubeconfig", "print the path of its kubeconfig"),
        ("logs", "list its log files, or print one"),
        ("env", "print shell commands for using pulumi and kubectl with it"),
    ):
        command = commands.add_parser(name, help=text, parents=[parent])
        if name == "logs":
            command.add_argument("component", nargs="?", help="such as kubelet")
    return parser


def _description(cluster: Cluster) -> str:
    return "\n".join(
        (
            f"API        {cluster.server} (context {cluster.context})",
            f"registry   {cluster.registry} (plain HTTP)",
            f"kubeconfig {cluster.kubeconfig}",
            f"files      {cluster.folder}",
            f"logs       {cluster.logs_dir}",
        )
    )


def _status(cluster: Cluster) -> int:
    state = cluster.state()
    print(state.summary)
    if state.started:
        print(_description(cluster))
    return 0 if state.running else FAILED


def _kubeconfig(cluster: Cluster) -> int:
    if not cluster.kubeconfig.is_file():
        raise Failed(
            f"The cluster {cluster.name} is not running. To start it: "
            f"python3 -m local up --name {cluster.name}"
        )
    print(cluster.kubeconfig)
    return 0


def _logs(cluster: Cluster, component: str | None) -> int:
    logs = sorted(cluster.logs_dir.glob("*.log"))
    if component is None:
        for log in logs:
            print(log)
        return 0
    for log in logs:
        if log.stem == component:
            sys.stdout.write(log.read_text(encoding="utf-8", errors="replace"))
            return 0
    names = ", ".join(log.stem for log in logs) or "none"
    raise Failed(f"There is no log of {component!r}; there are: {names}.")


def _env(cluster: Cluster) -> int:
    environment = cluster.environment()
    for name in (*_EXPORTED, *_EXPORTED_WITH_PROXY):
        if name in _EXPORTED or environment.get(name) != os.environ.get(name):
            print(f"export {name}={shlex.quote(environment[name])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
