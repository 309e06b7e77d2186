"""Asking a cluster's API server how it is, before there is any client to ask with."""

import base64
import http.client
import json
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_SECONDS = 5.0


@dataclass(frozen=True)
class Api:
    """A cluster's API.

    Attributes:
        server: Its URL.
        context: How to talk to it: who it has to be, and who is asking.
    """

    server: str
    context: ssl.SSLContext

    @classmethod
    def of(cls, kubeconfig: Path, server: str) -> "Api":
        """Return the API that a kubeconfig of this package is for.

        Args:
            kubeconfig: The file.
            server: The API's URL.

        Returns:
            The API.

        Raises:
            OSError: The file is missing or not one of this package.
        """
        fields = {}
        for line in kubeconfig.read_text(encoding="utf-8").splitlines():
            name, separator, value = line.strip().partition("-data: ")
            if separator:
                fields[name] = base64.b64decode(value).decode()
        context = ssl.create_default_context(cadata=fields["certificate-authority"])
        # The standard library loads a client's certificate from a file only.
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as pair:
            pair.write(fields["client-certificate"] + fields["client-key"])
            pair.flush()
            context.load_cert_chain(pair.name)
        return cls(server, context)

    def get(self, path: str) -> Any | None:
        """Ask for something.

        Args:
            path: Its path, which may have a query.

        Returns:
            What the server answers, parsed where it is JSON; None for an error of any kind.
        """
        address = urlsplit(self.server).netloc
        connection = http.client.HTTPSConnection(address, context=self.context, timeout=_SECONDS)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read().decode()
            if response.status != http.client.OK:
                return None
            return json.loads(body) if body.startswith("{") else body
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()

    def waits_for(self, node: str) -> str | None:
        """Say what a cluster still lacks before Pods can be made.

        Args:
            node: The name of the node that has to be ready.

        Returns:
            The component that is not ready; None where all are.
        """
        if self.get("/readyz") is None:
            return "kube-apiserver"
        found = self.get(f"/api/v1/nodes/{node}")
        if found is None:
            return "kubelet"
        conditions = {item["type"]: item["status"] for item in found["status"]["conditions"]}
        if conditions.get("Ready") != "True":
            return "kubelet"
        # Taken away by the controllers, as the account is made by them.
        if found["spec"].get("taints"):
            return "kube-controller-manager"
        if self.get("/api/v1/namespaces/default/serviceaccounts/default") is None:
            return "kube-controller-manager"
        return None
