"""The clusters that can run side by side: their names, addresses and interfaces."""

from dataclasses import dataclass

from local.errors import Failed

# Their order decides their addresses: append only.
NAMES = ("dev", "test")
DEFAULT = NAMES[0]


@dataclass(frozen=True)
class Instance:
    """What tells one cluster from another on the same machine.

    Attributes:
        name: Its name.
        index: Its place in the row of all clusters, from 1.
    """

    name: str
    index: int

    @classmethod
    def named(cls, name: str) -> "Instance":
        """Return the instance of that name.

        Args:
            name: One of `NAMES`.

        Returns:
            The instance.

        Raises:
            Failed: There is none of that name.
        """
        if name not in NAMES:
            raise Failed(f"There is no cluster {name!r}; there are: {', '.join(NAMES)}.")
        return cls(name, NAMES.index(name) + 1)

    @property
    def label(self) -> str:
        """The name of its node, its context and its control groups."""
        return f"imageswap-{self.name}"

    @property
    def interface(self) -> str:
        """The machine's end of the cable to it; the kernel allows 15 characters."""
        return f"ims-{self.name}"

    @property
    def network(self) -> str:
        """The network between the machine and its node."""
        return f"10.{200 + self.index}.0.0/30"

    @property
    def host_address(self) -> str:
        """The machine's address in that network."""
        return f"10.{200 + self.index}.0.1"

    @property
    def node_address(self) -> str:
        """The node's address in that network."""
        return f"10.{200 + self.index}.0.2"

    @property
    def services(self) -> str:
        """The network of its Services."""
        return f"10.{95 + self.index}.0.0/16"

    @property
    def api_service(self) -> str:
        """The address of the Service of its API: Kubernetes takes the first of the network."""
        return f"10.{95 + self.index}.0.1"

    @property
    def pods(self) -> str:
        """The network of its Pods."""
        return f"10.{243 + self.index}.0.0/16"

    @property
    def networks(self) -> tuple[str, str, str]:
        """All its networks."""
        return (self.network, self.services, self.pods)

    @property
    def server(self) -> str:
        """The URL of its API."""
        return f"https://{self.node_address}:6443"

    @property
    def registry(self) -> str:
        """The address of its image registry."""
        return f"{self.node_address}:5000"
