"""The Debian packages that the cluster is made of besides Kubernetes: found, or installed."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from local import folders
from local.command import run_logged
from local.errors import Failed, Unavailable
from local.once import locked
from local.progress import Step, say

# Each package with the programs or files that stand for it, whoever installed them.
_PACKAGES = {
    "etcd-server": ("etcd",),
    "containerd": ("containerd", "containerd-shim-runc-v2"),
    "runc": ("runc",),
    "iptables": ("iptables",),
    "docker-registry": ("docker-registry",),
    "debootstrap": ("debootstrap", "/usr/share/debootstrap/scripts/bookworm"),
    "debian-archive-keyring": ("/usr/share/keyrings/debian-archive-keyring.gpg",),
    "openssl": ("openssl",),
    "iproute2": ("ip",),
    "util-linux": ("unshare", "setsid"),
    "mount": ("mount",),
}
_CNI_PACKAGE = "containernetworking-plugins"
_CNI_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
_CNI_PLUGINS = ("ptp", "host-local", "portmap", "loopback")
# Packages whose installation enables a service of the machine.
_SERVICES = {
    "etcd-server": "etcd.service",
    "containerd": "containerd.service",
    "docker-registry": "docker-registry.service",
}
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_POLICY = Path("/usr/sbin/policy-rc.d")
_POLICY_SAVED = Path("/usr/sbin/policy-rc.d.saved-by-imageswap")
_POLICY_TEXT = (
    "#!/bin/sh\n"
    "# Written by pulumi-imageswap for the time of one apt-get install: start no service.\n"
    "exit 101\n"
)


def search_path() -> str:
    """Return where programs are looked for.

    Returns:
        PATH with the folders of system programs, which an ordinary user's PATH lacks.
    """
    return f"{os.environ.get('PATH', '')}:{_SYSTEM_PATH}"


def program(name: str) -> Path:
    """Return the path of a program that `ensure` has made sure of.

    Args:
        name: The program's name.

    Returns:
        Its path.

    Raises:
        Unavailable: It is not there.
    """
    found = shutil.which(name, path=search_path())
    if not found:
        raise Unavailable(f"{name} is not on PATH.")
    return Path(found)


def cni_plugins() -> Path:
    """Return the folder of the CNI plugins that `ensure` has made sure of.

    Returns:
        The folder.

    Raises:
        Unavailable: There is none.
    """
    for folder in _CNI_FOLDERS:
        if all((folder / plugin).is_file() for plugin in _CNI_PLUGINS):
            return folder
    raise Unavailable(
        f"The CNI plugins {', '.join(_CNI_PLUGINS)} are neither in {_CNI_FOLDERS[0]} nor in "
        f"{_CNI_FOLDERS[1]}."
    )


def missing() -> list[str]:
    """Return the Debian packages that have to be installed.

    Returns:
        Their names; empty where everything is there, from packages or otherwise.
    """
    packages = [
        package for package, parts in _PACKAGES.items() if not all(_present(part) for part in parts)
    ]
    try:
        cni_plugins()
    except Unavailable:
        packages.append(_CNI_PACKAGE)
    return packages


def ensure() -> None:
    """Install what the cluster needs and is missing; see `provide`."""
    provide(missing)


def provide(missing: Callable[[], list[str]]) -> None:
    """Install the Debian packages that are missing, starting none of their services.

    Args:
        missing: Says which packages are, before and after.

    Raises:
        Unavailable: Something is missing and cannot be installed here.
    """
    packages = missing()
    if not packages:
        return
    command = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if not shutil.which("apt-get", path=search_path()):
        raise Unavailable(
            f"Programs of these Debian packages are missing: {' '.join(packages)}; and there is no "
            "apt-get to install them with. Install the programs and put them on PATH."
        )
    if os.geteuid() != 0:
        raise Unavailable(f"Debian packages are missing. As root: {command}")
    say(f"installing Debian packages: {' '.join(packages)}")
    log = folders.cache_folder() / "logs" / "apt.log"
    log.unlink(missing_ok=True)
    lock = folders.cache_folder() / ".apt.lock"
    with (
        locked(lock, "installing Debian packages"),
        _no_services(),
        Step("installing Debian packages") as step,
    ):
        try:
            _apt(["update"], log, step)
            _apt(["install", "--yes", "--no-install-recommends", *packages], log, step)
        except Failed as error:
            raise Unavailable(f"{error}\nOnce that is mended, as root: {command}") from error
        _disable_services(packages, log, step)
    left = missing()
    if left:
        raise Unavailable(f"After {command}, programs of {' '.join(left)} are still not there.")


def _present(part: str) -> bool:
    if part.startswith("/"):
        return Path(part).exists()
    return shutil.which(part, path=search_path()) is not None


def _apt(arguments: list[str], log: Path, step: Step) -> None:
    # A running apt elsewhere, such as the daily upgrade, is waited for.
    run_logged(
        [program("apt-get"), "-o", "DPkg::Lock::Timeout=300", *arguments],
        log,
        step,
        environment={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "PATH": search_path()},
    )


def _disable_services(packages: list[str], log: Path, step: Step) -> None:
    """Keep the services of packages installed just now from starting at the next boot."""
    units = [_SERVICES[package] for package in packages if package in _SERVICES]
    systemctl = shutil.which("systemctl", path=search_path())
    if not units or not systemctl:
        return
    try:
        run_logged([systemctl, "disable", *units], log, step)
    except Failed as error:
        say(f"The services {' '.join(units)} may start at the next boot: {error}")


@contextmanager
def _no_services() -> Iterator[None]:
    """Let no package start a service meanwhile.

    Debian's invoke-rc.d asks /usr/sbin/policy-rc.d, where exit code 101 forbids the action. What
    was there is moved aside and moved back, so that it is the same file afterwards.
    """
    _restore_policy()
    if _POLICY.exists() or _POLICY.is_symlink():
        _POLICY.rename(_POLICY_SAVED)
    try:
        _POLICY.write_text(_POLICY_TEXT, encoding="utf-8")
        _POLICY.chmod(0o755)
        yield
    finally:
        _restore_policy()


def _restore_policy() -> None:
    """Undo the change of `_no_services`, also one left by a process that was killed."""
    try:
        ours = _POLICY.read_text(encoding="utf-8") == _POLICY_TEXT
    except (OSError, UnicodeDecodeError):
        ours = False
    if _POLICY_SAVED.exists() or _POLICY_SAVED.is_symlink():
        _POLICY_SAVED.rename(_POLICY)
    elif ours:
        _POLICY.unlink()
