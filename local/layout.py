"""Where the files of one cluster are, as seen by the machine and from within its namespaces."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from local import folders
from local.errors import Failed
from local.instance import Instance


@dataclass(frozen=True)
class Layout:
    """The folder of one cluster.

    Attributes:
        instance: The cluster.
        home: The folder.
    """

    instance: Instance
    home: Path

    @classmethod
    def of(cls, instance: Instance) -> "Layout":
        """Return the layout of a cluster.

        Args:
            instance: The cluster.

        Returns:
            Its layout.
        """
        return cls(instance, folders.state_folder() / instance.name)

    @property
    def lock(self) -> Path:
        """The lock held while the cluster is started or ended."""
        return self.home.parent / f".{self.instance.name}.lock"

    @property
    def logs(self) -> Path:
        """One log file for each daemon."""
        return self.home / "logs"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig file."""
        return self.home / "kubeconfig"

    @property
    def identity(self) -> Path:
        """The record of the first process of the cluster's namespaces."""
        return self.home / "first-process.json"

    @property
    def complete(self) -> Path:
        """A file that is there once everything was started and every image pushed."""
        return self.home / "complete"

    @property
    def ended(self) -> Path:
        """The record of daemons that have ended."""
        return self.home / "ended.json"

    @property
    def specification(self) -> Path:
        """What the first process is told to do."""
        return self.home / "specification.json"

    @property
    def var(self) -> Path:
        """What the daemons see as /var."""
        return self.home / "var"

    def inside(self, path: Path) -> str:
        """Say where the daemons see a file.

        A short path whatever the machine's is, as Unix sockets allow 108 bytes only.

        Args:
            path: A path in the cluster's folder.

        Returns:
            The path from within the cluster's namespaces.
        """
        return str(Path("/run") / self.instance.label / path.relative_to(self.home))

    def clear(self, *, keep_logs: bool) -> None:
        """Remove the files, the processes having ended.

        Args:
            keep_logs: Whether the log files stay.

        Raises:
            Failed: Something is mounted in there.
        """
        if not self.home.is_dir():
            return
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
        for folder in (line.split(" ")[1] for line in mounts):
            # Its mounts end with their namespace. One that is here is not ours to delete through.
            if folder.startswith(f"{self.home}/"):
                raise Failed(f"{folder} is a mount. Unmount it before removing {self.home}.")
        for path in self.home.iterdir():
            if keep_logs and path == self.logs:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        if not any(self.home.iterdir()):
            self.home.rmdir()
