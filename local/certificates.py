"""The certificates of a cluster, made with openssl: an authority, and one for each who needs it."""

from dataclasses import dataclass
from pathlib import Path

from local import debian
from local.command import output

# A cluster lives for hours; this only has to outlast the longest of them.
_DAYS = "365"
_NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key.

    Attributes:
        certificate: The certificate's file.
        key: The key's file.
    """

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """A cluster's certificate authority, and the folder of everything it signs.

    Attributes:
        folder: The folder, readable by its owner only.
    """

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        """Make an authority.

        Args:
            folder: The folder to make for it.

        Returns:
            The authority.

        Raises:
            Failed: openssl failed.
        """
        folder.mkdir(mode=0o700)
        authority = cls(folder)
        _request(
            authority.pair,
            "/CN=imageswap-local",
            ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"],
            [],
        )
        return authority

    @property
    def pair(self) -> Pair:
        """Its own certificate and key."""
        return self._pair("ca")

    def server(self, name: str, addresses: list[str], host_names: list[str]) -> Pair:
        """Make a server's certificate.

        Args:
            name: The name of its files, and its common name.
            addresses: The IP addresses it is reached at.
            host_names: The host names it is reached by.

        Returns:
            The certificate and its key.

        Raises:
            Failed: openssl failed.
        """
        names = [f"IP:{address}" for address in addresses]
        names += [f"DNS:{host_name}" for host_name in host_names]
        extensions = ["extendedKeyUsage=serverAuth", f"subjectAltName={','.join(names)}"]
        return self._sign(name, f"/CN={name}", extensions)

    def client(self, name: str, user: str, group: str = "") -> Pair:
        """Make a client's certificate, from which Kubernetes takes who is asking.

        Args:
            name: The name of its files.
            user: The user, which becomes the common name.
            group: The group, which becomes the organization.

        Returns:
            The certificate and its key.

        Raises:
            Failed: openssl failed.
        """
        organization = f"/O={group}" if group else ""
        return self._sign(name, f"{organization}/CN={user}", ["extendedKeyUsage=clientAuth"])

    def _sign(self, name: str, subject: str, extensions: list[str]) -> Pair:
        signer = ["-CA", str(self.pair.certificate), "-CAkey", str(self.pair.key)]
        common = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature"]
        return _request(self._pair(name), subject, [*common, *extensions], signer)

    def _pair(self, name: str) -> Pair:
        return Pair(self.folder / f"{name}.crt", self.folder / f"{name}.key")


def _request(pair: Pair, subject: str, extensions: list[str], signer: list[str]) -> Pair:
    command = [str(debian.program("openssl")), "req", "-x509", *_NEW_KEY, "-days", _DAYS, *signer]
    # Without the machine's configuration, which adds extensions of its own.
    command += ["-config", "/dev/null", "-subj", subject]
    for extension in extensions:
        command += ["-addext", extension]
    output([*command, "-keyout", str(pair.key), "-out", str(pair.certificate)])
    pair.key.chmod(0o600)
    return pair
