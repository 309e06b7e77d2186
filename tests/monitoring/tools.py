"""Sets up what these tests check with: promtool, and the Prometheus Operator's API."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

from local import folders
from local.command import output
from local.errors import Failed, Unavailable
from local.once import made_once

_OPERATOR = "github.com/prometheus-operator/prometheus-operator"
_OPERATOR_VERSION = "v0.85.0"
# The checksum of the module as go.sum has it.
_OPERATOR_SUM = "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s="
_DOWNLOAD_SECONDS = 300.0


class Promtool:
    """Prometheus' own checker of rules."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def check(self, rules: dict[str, Any]) -> None:
        """Fail where Prometheus would not load a rule file."""
        self._run("check", rules, {})

    def test(self, rules: dict[str, Any], tests: list[dict[str, Any]]) -> None:
        """Fail where a unit test of the rules fails.

        Takes the rule file, and the `tests` of a test file of `promtool test rules`.
        """
        self._run("test", rules, {"rule_files": ["rules.yaml"], "tests": tests})

    def _run(self, command: str, rules: dict[str, Any], tests: dict[str, Any]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            # JSON is YAML.
            Path(folder, "rules.yaml").write_text(json.dumps(rules), "utf-8")
            Path(folder, "test.yaml").write_text(json.dumps(tests), "utf-8")
            file = "rules.yaml" if command == "check" else "test.yaml"
            done = subprocess.run(
                [self._program, command, "rules", file],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=60,
            )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def promtool() -> Promtool:
    """Find promtool, or unpack it from Debian's package, which is not installed for that.

    Raises:
        Unavailable: It is not there and cannot be had.
    """
    found = shutil.which("promtool")
    if found:
        return Promtool(Path(found))
    return Promtool(made_once(folders.cache_folder() / "promtool", _unpack) / "promtool")


def operator_api(plural: str) -> dict[str, Any]:
    """Give the CustomResourceDefinition of one kind of the Prometheus Operator.

    Raises:
        Unavailable: There is no Go to download it with, or it cannot be downloaded.
    """
    if not shutil.which("go"):
        raise Unavailable("There is no Go to download the Prometheus Operator's API with.")
    try:
        answer = json.loads(
            output(
                ["go", "mod", "download", "-json", f"{_OPERATOR}@{_OPERATOR_VERSION}"],
                timeout=_DOWNLOAD_SECONDS,
            )
        )
    except Failed as error:
        raise Unavailable(str(error)) from error
    assert answer["Sum"] == _OPERATOR_SUM
    folder = Path(answer["Dir"]) / "example" / "prometheus-operator-crd"
    definition: dict[str, Any] = yaml.safe_load(
        (folder / f"monitoring.coreos.com_{plural}.yaml").read_text("utf-8")
    )
    return definition


def problems(value: Any, schema: dict[str, Any], path: str = "") -> list[str]:
    """Say where a value is not what a structural schema of Kubernetes allows.

    Unlike the API server, which drops unknown fields, it takes them for wrong. Rules in CEL are not
    evaluated.
    """
    if schema.get("x-kubernetes-int-or-string"):
        return [] if isinstance(value, int | str) else [f"{path}: neither number nor text"]
    types: dict[str, Any] = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
    }
    if not isinstance(value, types[schema["type"]]):
        return [f"{path}: not of the type {schema['type']}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{path}: {value} is not one of {schema['enum']}")
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            found.append(f"{path}: {value} does not match {schema['pattern']}")
        if len(value) < schema.get("minLength", 0):
            found.append(f"{path}: too short")
    if isinstance(value, list):
        for index, item in enumerate(value):
            found += problems(item, schema["items"], f"{path}[{index}]")
    if isinstance(value, dict):
        found += [f"{path}.{key}: missing" for key in set(schema.get("required", ())) - set(value)]
        # Metadata has no schema of its own: the API server knows what it is.
        known = schema.get("properties", {})
        free = schema.get("additionalProperties", {} if known else None)
        for key, item in value.items():
            if key in known:
                found += problems(item, known[key], f"{path}.{key}")
            elif free:
                found += problems(item, free, f"{path}.{key}")
            elif free is not None:
                found.append(f"{path}.{key}: unknown")
    return found


def _unpack(folder: Path) -> None:
    programs = ("apt-get", "dpkg-deb")
    if not all(shutil.which(program) for program in programs):
        raise Unavailable(
            f"promtool is not on PATH, and {' and '.join(programs)}, to get it from Debian's "
            "package `prometheus` with, are not there."
        )
    download = folder / "download"
    download.mkdir()
    try:
        try:
            _apt_get("download", "prometheus", folder=download)
        except Failed:
            # The lists of packages may be old, or none.
            if os.geteuid() != 0:
                raise
            _apt_get("update", folder=download)
            _apt_get("download", "prometheus", folder=download)
        (package,) = download.glob("prometheus_*.deb")
        output(["dpkg-deb", "--extract", package, download / "content"], timeout=60)
    except Failed as error:
        raise Unavailable(f"promtool is not on PATH, nor to be had from Debian: {error}") from error
    (download / "content" / "usr" / "bin" / "promtool").rename(folder / "promtool")
    shutil.rmtree(download)


def _apt_get(*arguments: str, folder: Path) -> None:
    options = ["-o", "DPkg::Lock::Timeout=300", "-o", "APT::Sandbox::User=root"]
    output(["env", "-C", folder, "apt-get", *options, *arguments], timeout=_DOWNLOAD_SECONDS)
