"""A Kubernetes cluster of one node in namespaces of its own: started, looked at and ended."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from local import (
    cgroups,
    controlplane,
    debian,
    images,
    kubeconfig,
    machine,
    network,
    node,
    registry,
    toolchain,
)
from local.api import Api
from local.certificates import Authority
from local.command import tail
from local.errors import Failed
from local.instance import DEFAULT, Instance
from local.interruption import interruptible, uninterrupted
from local.layout import Layout
from local.once import locked
from local.process import Process
from local.progress import Step, say
from local.push import push

_FIRST_PROCESS_SECONDS = 15.0
_READY_SECONDS = 120.0
_SETTLE_SECONDS = 10.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class State:
    """How a cluster is.

    Attributes:
        running: Whether it runs and everything in it is ready.
        summary: The same in words, with the reason if it is not.
        started: Whether there is anything of it at all.
        may_recover: Whether it may only be busy.
    """

    running: bool
    summary: str
    started: bool = True
    may_recover: bool = False


class Cluster:
    """A cluster on this machine, running or not."""

    def __init__(self, instance: Instance) -> None:
        """Stand for a cluster; nothing is started.

        Args:
            instance: Which one.
        """
        self._instance = instance
        self._layout = Layout.of(instance)

    @classmethod
    def named(cls, name: str = DEFAULT) -> "Cluster":
        """Return the cluster of a name.

        Args:
            name: ``dev`` or ``test``.

        Returns:
            The cluster.

        Raises:
            Failed: There is none of that name.
        """
        return cls(Instance.named(name))

    @property
    def name(self) -> str:
        """Its name."""
        return self._instance.name

    @property
    def context(self) -> str:
        """The name of its context in its kubeconfig."""
        return self._instance.label

    @property
    def server(self) -> str:
        """The URL of its API."""
        return self._instance.server

    @property
    def registry(self) -> str:
        """The address of its image registry, which speaks plain HTTP."""
        return self._instance.registry

    @property
    def host_address(self) -> str:
        """The address at which Pods and the API server reach this machine."""
        return self._instance.host_address

    @property
    def kubeconfig(self) -> Path:
        """Its administrator's kubeconfig file, there while it is up."""
        return self._layout.kubeconfig

    @property
    def folder(self) -> Path:
        """The folder of all its files."""
        return self._layout.home

    @property
    def logs_dir(self) -> Path:
        """The folder of its log files, one for each daemon."""
        return self._layout.logs

    @cached_property
    def tools(self) -> toolchain.Toolchain:
        """The tools, built on first use where the machine lacks them."""
        return toolchain.ensure()

    def environment(self) -> dict[str, str]:
        """Return the environment in which pulumi and kubectl work with this cluster.

        Returns:
            A copy of this process's environment with PATH, PULUMI_HOME and KUBECONFIG set, and with
            the cluster's addresses in NO_PROXY where there is a proxy.

        Raises:
            Unavailable: A tool is missing and cannot be built here.
            Failed: A tool's build failed.
        """
        environment = {**self.tools.environment(), "KUBECONFIG": str(self.kubeconfig)}
        if any(name.lower().endswith("_proxy") for name in environment):
            before = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
            own = ["localhost", "127.0.0.1", self._instance.node_address, *self._instance.networks]
            names = [name for name in before.split(",") if name and name not in own]
            environment["NO_PROXY"] = environment["no_proxy"] = ",".join([*names, *own])
        return environment

    def up(self) -> None:
        """Start the cluster, unless it runs; what is missing on the machine is installed or built.

        Every start begins empty. A failure or an interruption undoes what was started, except for
        the logs.

        Raises:
            Unavailable: This machine cannot run a cluster; the message says why.
            Failed: It does not start; the message says which part, and shows the end of its log.
        """
        with interruptible():
            machine.check()
            debian.ensure()
            machine.check_namespaces()
            tools = self.tools
            layouts = images.ensure()
            with locked(self._layout.lock, f"starting or ending the cluster {self.name}"):
                state = self._settled()
                if state.running:
                    say(f"The cluster {self.name} is running.")
                    return
                if state.started:
                    say(f"Starting anew: {state.summary}")
                self._take_down(keep_logs=False)
                network.check(self._instance)
                try:
                    self._start(tools.paths, layouts)
                except BaseException:
                    with uninterrupted():
                        self._take_down(keep_logs=True)
                    raise

    def down(self) -> None:
        """End the cluster and remove everything of it; nothing happens where there is nothing.

        Raises:
            Unavailable: This machine cannot run a cluster, nor end one.
            Failed: Something cannot be removed.
        """
        machine.check()
        with (
            interruptible(),
            locked(self._layout.lock, f"starting or ending the cluster {self.name}"),
            uninterrupted(),
        ):
            self._take_down(keep_logs=False)

    def state(self) -> State:
        """Say how the cluster is.

        Returns:
            Its state at this moment.
        """
        process = Process.recorded(self._layout.identity)
        if process is None:
            return State(False, f"The cluster {self.name} is not running.", started=False)
        if not process.alive:
            return State(False, f"The cluster {self.name} was ended from outside.")
        ended = self._ended()
        if ended:
            return State(False, f"In the cluster {self.name}, {ended} has ended.")
        if not self._layout.complete.exists():
            return State(False, f"The start of the cluster {self.name} is not complete.")
        waits_for = self._waits_for()
        if waits_for:
            summary = f"In the cluster {self.name}, {waits_for} is not ready."
            return State(False, summary, may_recover=True)
        return State(True, f"The cluster {self.name} is running, its node is Ready.")

    def _settled(self) -> State:
        """Return the state, giving a running cluster some time if it is only busy."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        while True:
            state = self.state()
            if state.running or not state.may_recover or time.monotonic() > deadline:
                return state
            time.sleep(_POLL_SECONDS)

    def _start(self, tools: Mapping[str, Path], layouts: Path) -> None:
        with Step(f"starting the cluster {self.name}") as step:
            self._write_files(tools)
            cgroups.make(self._instance.label)
            self._start_first_process()
            self._wait("registry", step, lambda: None if self._registry_answers() else "registry")
            for stored in images.STORED:
                source = images.layout(layouts, stored)
                push(source, self.registry, stored.repository, stored.tag)
                step.tick()
            self._wait("kube-apiserver", step, self._waits_for)
            self._layout.complete.touch()

    def _write_files(self, tools: Mapping[str, Path]) -> None:
        layout, instance = self._layout, self._instance
        layout.home.mkdir(parents=True, exist_ok=True)
        layout.logs.mkdir()
        for name in ("lib", "log", "tmp"):
            (layout.var / name).mkdir(parents=True)
        (layout.var / "run").symlink_to("/run")
        programs = layout.home / "bin"
        programs.mkdir()
        mounts: list[dict[str, str]] = [
            {"target": "/run"},
            {"source": str(layout.home), "target": str(Path("/run") / instance.label)},
        ]
        inside = {}
        for name in toolchain.KUBERNETES_DAEMONS:
            (programs / name).touch()
            inside[name] = layout.inside(programs / name)
            mounts.append({"source": str(tools[name]), "target": inside[name]})
        # The daemons keep to their usual folders, of which the machine sees nothing.
        mounts.append({"source": str(layout.var), "target": "/var"})
        for source, target in node.stand_ins(layout):
            mounts.append({"source": str(source), "target": target})
        authority = Authority.make(layout.home / "certificates")
        admin = authority.client("admin", "imageswap-admin", "system:masters")
        kubeconfig.write(layout.kubeconfig, self.context, self.server, authority, admin)
        only = node.Node(
            name=instance.label,
            address=instance.node_address,
            pods=instance.pods,
            control_group=instance.label,
            pause_image=f"{instance.registry}/{images.PAUSE.reference}",
            registry=instance.registry,
        )
        daemons = [
            registry.daemon(instance, layout),
            *controlplane.daemons(instance, layout, authority, inside),
            *node.daemons(only, instance, layout, authority, inside),
        ]
        specification = {
            "identity": str(layout.identity),
            "ended": layout.inside(layout.ended),
            "logs": layout.inside(layout.logs),
            "mounts": mounts,
            "commands": network.inside(instance),
            # Not the caller's: no proxy, no credentials, no settings.
            "environment": {"PATH": debian.search_path(), "HOME": layout.inside(layout.home)},
            "daemons": [vars(daemon) for daemon in daemons],
        }
        layout.specification.write_text(json.dumps(specification, indent=2), encoding="utf-8")

    def _start_first_process(self) -> None:
        """Start the namespaces, and let their first process go on once it is known and connected.

        It outlives this process and its terminal: it has a session of its own, and of what this
        process has open it gets nothing but the pipe that tells it to go on.
        """
        layout = self._layout
        script = Path(__file__).with_name("supervisor.py")
        command: list[str | Path] = [
            debian.program("setsid"),
            "--fork",
            *machine.unshare(),
            sys.executable,
            "-I",
            script,
            layout.specification,
        ]
        log = layout.logs / "first-process.log"
        reading, writing = os.pipe()
        try:
            with log.open("ab") as stream:
                subprocess.run(
                    command, stdin=reading, stdout=stream, stderr=stream, cwd="/", check=True
                )
            os.close(reading)
            reading = -1
            process = self._first_process(log)
            network.connect(self._instance, process.pid)
            os.write(writing, b"go\n")
        finally:
            if reading != -1:
                os.close(reading)
            os.close(writing)

    def _first_process(self, log: Path) -> Process:
        deadline = time.monotonic() + _FIRST_PROCESS_SECONDS
        while time.monotonic() < deadline:
            process = Process.recorded(self._layout.identity)
            if process:
                return process
            time.sleep(0.01)
        raise Failed(f"The first process did not start. The end of its log:\n{tail(log)}")

    def _wait(self, first: str, step: Step, waits_for: Callable[[], str | None]) -> None:
        """Wait until nothing is waited for any more, or something has ended."""
        deadline = time.monotonic() + _READY_SECONDS
        lacking: str | None = first
        while lacking:
            process = Process.recorded(self._layout.identity)
            if process is None or not process.alive:
                raise self._failure("first-process", "has ended")
            ended = self._ended()
            if ended:
                raise self._failure(ended, "has ended")
            lacking = waits_for()
            if lacking and time.monotonic() > deadline:
                raise self._failure(lacking, f"is not ready after {_READY_SECONDS:.0f} seconds")
            step.tick()
            if lacking:
                time.sleep(_POLL_SECONDS)

    def _failure(self, component: str, what: str) -> Failed:
        log = self.logs_dir / f"{component}.log"
        return Failed(
            f"The cluster {self.name} does not start: {component} {what}. The end of its log:\n"
            f"{tail(log)}\nThe logs of all components: {self.logs_dir}"
        )

    def _registry_answers(self) -> bool:
        host, _, port = self.registry.rpartition(":")
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex((host, int(port))) == 0

    def _waits_for(self) -> str | None:
        """Say which component is not ready; None where all are."""
        try:
            api = Api.of(self.kubeconfig, self.server)
        except (OSError, KeyError, ValueError):
            return "kube-apiserver"
        lacking = api.waits_for(self._instance.label)
        if lacking is None and not self._proxy_is_ready():
            lacking = "kube-proxy"
        return lacking

    def _proxy_is_ready(self) -> bool:
        # Without the proxies of the environment, for an address on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            url = f"http://{self._instance.node_address}:10256/healthz"
            with opener.open(url, timeout=2) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def _ended(self) -> str | None:
        """Return the name of the first daemon that has ended, if one has."""
        try:
            ended = json.loads(self._layout.ended.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return str(ended[0]["name"])

    def _take_down(self, *, keep_logs: bool) -> None:
        process = Process.recorded(self._layout.identity)
        if process:
            process.kill()
        if shutil.which("ip", path=debian.search_path()):
            network.disconnect(self._instance)
        cgroups.remove(self._instance.label)
        self._layout.clear(keep_logs=keep_logs)
