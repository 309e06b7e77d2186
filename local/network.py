"""The cable between the machine and a cluster, and the machine's routes through it."""

import ipaddress
import json

from local import debian
from local.command import output
from local.errors import Failed
from local.instance import NAMES, Instance


def check(instance: Instance) -> None:
    """Make sure that nothing else on the machine uses the cluster's networks.

    Args:
        instance: The cluster.

    Raises:
        Failed: Something does; the message says what and what can be done.
    """
    for route in json.loads(_ip("-json", "-4", "route", "show")):
        if route["dst"] == "default" or route.get("dev") == instance.interface:
            continue
        taken = ipaddress.ip_network(route["dst"], strict=False)
        for network in instance.networks:
            if taken.overlaps(ipaddress.ip_network(network)):
                others = ", ".join(name for name in NAMES if name != instance.name)
                raise Failed(
                    f"The cluster {instance.name} needs the network {network}, but this machine "
                    f"has a route to {route['dst']} through {route.get('dev', '?')}. End what uses "
                    f"that, or take another cluster, which has other networks: --name {others}."
                )


def connect(instance: Instance, pid: int) -> None:
    """Lay a cable into the network namespace of a process, and the routes through it.

    Args:
        instance: The cluster.
        pid: The process.

    Raises:
        Failed: The kernel refuses it.
    """
    cable = instance.interface
    _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
    _ip("address", "add", f"{instance.host_address}/30", "dev", cable)
    _ip("link", "set", cable, "up")
    for network in (instance.services, instance.pods):
        _ip("route", "add", network, "via", instance.node_address, "dev", cable)


def inside(instance: Instance) -> list[list[str]]:
    """Return the commands that set up the other end of the cable.

    Args:
        instance: The cluster.

    Returns:
        Command lines, to be run in the cluster's namespaces.
    """
    ip = str(debian.program("ip"))
    return [
        [ip, "link", "set", "lo", "up"],
        [ip, "address", "add", f"{instance.node_address}/30", "dev", "eth0"],
        [ip, "link", "set", "eth0", "up"],
        # For the API server's own calls to Services: kube-proxy's rules turn a packet to a Pod, but
        # only one that has a way to go. There is no other way out, so that pulling from a registry
        # elsewhere fails at once.
        [ip, "route", "add", instance.services, "dev", "eth0", "src", instance.node_address],
    ]


def disconnect(instance: Instance) -> None:
    """Take the cable away, and its routes with it; nothing happens where there is none.

    Args:
        instance: The cluster.
    """
    if connected(instance):
        try:
            _ip("link", "delete", instance.interface)
        except Failed:
            # The kernel removes it too, a moment after the other end's namespace has ended.
            if connected(instance):
                raise


def connected(instance: Instance) -> bool:
    """Tell whether the cable is there.

    Args:
        instance: The cluster.

    Returns:
        Whether it is.
    """
    links = json.loads(_ip("-json", "link", "show"))
    return any(link["ifname"] == instance.interface for link in links)


def _ip(*arguments: str) -> str:
    return output([debian.program("ip"), *arguments])
