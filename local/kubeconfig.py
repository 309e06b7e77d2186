"""Writing kubeconfig files, each holding everything it needs."""

import base64
from pathlib import Path

from local.certificates import Authority, Pair

_TEMPLATE = """\
apiVersion: v1
kind: Config
clusters:
- name: {context}
  cluster:
    server: {server}
    certificate-authority-data: {authority}
users:
- name: {context}
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
contexts:
- name: {context}
  context:
    cluster: {context}
    user: {context}
current-context: {context}
"""


def write(path: Path, context: str, server: str, authority: Authority, client: Pair) -> None:
    """Write a kubeconfig file of one context.

    Args:
        path: The file, which only its owner will be able to read.
        context: The name of its context, and of the cluster and user in it.
        server: The URL of the API.
        authority: Who signed the API's certificate.
        client: Who is asking.
    """
    path.touch(mode=0o600)
    path.write_text(
        _TEMPLATE.format(
            context=context,
            server=server,
            authority=_encoded(authority.pair.certificate),
            certificate=_encoded(client.certificate),
            key=_encoded(client.key),
        ),
        encoding="utf-8",
    )


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
