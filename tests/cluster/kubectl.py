"""Runs kubectl on the test cluster."""

import json
import subprocess
import time
from collections.abc import Mapping
from typing import Any

# `pulumi up` ends when every replica answers by the new rules. But the kubelet of a machine whose
# processors are all busy, as those of the tests are, tells a replica of its end seconds late.
STARVED_SECONDS = 5
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

    def wait_for_swap(self, source: str, target: str, namespace: str = "default") -> None:
        """Wait, not long, until a Pod of an image would be made with another."""
        deadline = time.monotonic() + STARVED_SECONDS
        command = ("run", "probe", f"--image={source}", f"--namespace={namespace}")
        image = "-o=jsonpath={.spec.containers[0].image}"
        while (made := self(*command, "--dry-run=server", image)) != target:
            assert time.monotonic() < deadline, f"{source} is still made {made}, not {target}"
            time.sleep(0.2)


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
