"""Runs kubectl on the test cluster."""

import json
import subprocess
from collections.abc import Mapping
from typing import Any

PALETTE_CHECK = "-o=jsonpath={.spec.template.spec.containers[0].image}"


class Kubectl:
    """Runs kubectl in an environment that holds its kubeconfig."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.warnings: list[str] = []
        """What the API server warned of at the last call, as kubectl prints it."""

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl and give what it prints; raises CalledProcessError with its words."""
        done = subprocess.run(
            ["kubectl", *arguments],
            env=dict(self._environment),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        self.warnings = [line for line in done.stderr.splitlines() if line.startswith("Warning:")]
        return done.stdout

    def apply(self, *objects: Mapping[str, Any]) -> str:
        """Apply objects; gives kubectl's output."""
        text = "\n---\n".join(map(json.dumps, objects))
        return self("apply", "-f", "-", stdin=text)

    def get(self, *arguments: str) -> Any:
        """Get an object or a list."""
        return json.loads(self("get", *arguments, "-o", "json"))

    def deployed_image(self, name: str, namespace: str = "default") -> str:
        """Palette's own check of a Deployment's image."""
        return self("get", "deployment", name, f"--namespace={namespace}", PALETTE_CHECK)


def deployment(
    name: str, image: str, *, namespace: str = "default", labels: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A Deployment of one container that serves HTTP where the image is busybox."""
    selector = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels or {})},
        "spec": {
            "selector": {"matchLabels": selector},
            "template": {
                "metadata": {"labels": selector},
                "spec": {
                    "terminationGracePeriodSeconds": 0,
                    "containers": [
                        {"name": "main", "image": image, "command": ["httpd", "-f", "-p", "8080"]}
                    ],
                },
            },
        },
    }
