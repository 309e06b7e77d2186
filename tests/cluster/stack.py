"""Runs the real Pulumi engine on a program, with state and settings of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]


def program_of_the_checkout(folder: Path, environment: Mapping[str, str]) -> "Stack":
    """Give a stack of the project's own program, copied so that its settings stay out of git."""
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(CHECKOUT / name, folder)
    (folder / "stacks").mkdir()
    packages = f"{CHECKOUT / 'components'}{os.pathsep}{CHECKOUT / 'webhook'}"
    return Stack(folder, environment, pythonpath=packages)


class Stack:
    """A stack of the program in a folder, kept in a file backend below that folder."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        name: str = "test",
        python: Path = Path(sys.executable),
        pythonpath: str = "",
    ) -> None:
        self.name = name
        self.folder = folder
        state = folder / "state"
        state.mkdir()
        self._environment = {
            **environment,
            # The language host runs the `python3` that is first on PATH.
            "PATH": f"{python.parent}{os.pathsep}{environment['PATH']}",
            "PYTHONPATH": pythonpath,
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
        }
        self("stack", "init", name)

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Run pulumi; gives all that it prints, and fails where the exit code is not `code`."""
        done = subprocess.run(
            ["pulumi", "--non-interactive", "--color=never", *arguments],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        shown = f"pulumi {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}"
        assert done.returncode == code, shown
        return done.stdout

    def configure(self, **settings: Any) -> None:
        """Make these the stack's settings, all of them."""
        file = self.folder / "stacks" / f"Pulumi.{self.name}.yaml"
        salt = [line for line in file.read_text().splitlines() if line.startswith("encryption")]
        config = {f"imageswap:{key}": value for key, value in settings.items()}
        # JSON is YAML.
        file.write_text("\n".join([*salt, f"config: {json.dumps(config)}"]))

    def configure_secret(self, setting: str, value: str) -> None:
        """Add a setting that is kept encrypted."""
        self("config", "set", "--secret", f"imageswap:{setting}", value)

    def preview(self, code: int = 0) -> str:
        """Run `pulumi preview`."""
        return self("preview", "--diff", code=code)

    def up(self, code: int = 0) -> str:
        """Run `pulumi up`."""
        return self("up", "--yes", "--skip-preview", code=code)

    def changes(self) -> dict[str, str]:
        """What `pulumi up` would do, and does: the names of resources and the operations."""
        plan = json.loads(self("preview", "--json"))
        steps = {step["urn"].rpartition("::")[2]: step["op"] for step in plan["steps"]}
        self.up()
        return {name: op for name, op in steps.items() if op not in ("same", "read")}

    def destroy(self) -> str:
        """Run `pulumi destroy`."""
        return self("destroy", "--yes", "--skip-preview")

    def output(self, name: str) -> str:
        """Give a stack output."""
        return self("stack", "output", name).strip()
