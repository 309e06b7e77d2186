"""The image registry of a cluster."""

from local import debian
from local.daemon import Daemon
from local.instance import Instance
from local.layout import Layout


def daemon(instance: Instance, layout: Layout) -> Daemon:
    """Write the registry's configuration and say what to run.

    Args:
        instance: The cluster.
        layout: Its files.

    Returns:
        The daemon.
    """
    config = layout.home / "registry.yml"
    config.write_text(
        f"""\
version: 0.1
log:
  accesslog:
    disabled: true
  level: warn
storage:
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: {instance.registry}
""",
        encoding="utf-8",
    )
    program = str(debian.program("docker-registry"))
    return Daemon("registry", [program, "serve", layout.inside(config)])
