"""What is built from Go modules where the machine does not have it, and in which versions."""

import os
import shutil
from pathlib import Path

from local.command import run_logged
from local.golang import Recipe, compile_in, module_folder
from local.progress import Step

KUBERNETES = "1.36.3"
PULUMI = "3.259.0"
# A plugin's version has to be the one that the Python SDK of the same name asks for in its
# pulumi-plugin.json: pulumi-kubernetes 4.25.0 and pulumi-tls 5.6.2.
KUBERNETES_PLUGIN = "4.25.0"
TLS_PLUGIN = "5.6.2"

_SDK = "github.com/pulumi/pulumi/sdk/v3"
_KUBERNETES_PROVIDER = "github.com/pulumi/pulumi-kubernetes/provider/v4"


def kubernetes(name: str) -> Recipe:
    """Return the recipe of one of Kubernetes' own programs.

    Args:
        name: Such as ``kubelet``.

    Returns:
        Its recipe.
    """
    major, minor, _ = KUBERNETES.split(".")
    version = "k8s.io/component-base/version"
    return Recipe(
        name,
        "kubernetes",
        f"k8s.io/kubernetes/cmd/{name}",
        (
            (f"{version}.gitVersion", f"v{KUBERNETES}"),
            (f"{version}.gitMajor", major),
            (f"{version}.gitMinor", minor),
        ),
    )


def _add_exec_script(binaries: Path, step: Step, log: Path) -> None:
    """Put the script that runs Python programs beside the language host, as releases do.

    The last module that holds the host is far older than the engine; the script, which talks to the
    Python SDK, is taken from the engine's own version.
    """
    module = module_folder("pulumi", _SDK, step, log)
    script = binaries / "pulumi-language-python-exec"
    shutil.copyfile(module / "python" / "cmd" / script.name, script)
    script.chmod(0o755)


PULUMI_LANGUAGE_PYTHON = Recipe(
    "pulumi-language-python",
    "pulumi-language-python",
    f"{_SDK}/python/cmd/pulumi-language-python",
    finish=_add_exec_script,
    finish_key=PULUMI,
)


def _add_language_host(binaries: Path, step: Step, log: Path) -> None:
    """Put the language host beside the engine, where the engine looks for it first."""
    for source in PULUMI_LANGUAGE_PYTHON.binaries.iterdir():
        os.link(source, binaries / source.name)


PULUMI_ENGINE = Recipe(
    "pulumi",
    "pulumi",
    "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    ((f"{_SDK}/go/common/version.Version", f"v{PULUMI}"),),
    finish=_add_language_host,
    finish_key=PULUMI_LANGUAGE_PYTHON.key,
)


def _add_schema(source: Path, step: Step, log: Path) -> None:
    """Copy the files that main.go embeds from the provider's module: they are 8 MB."""
    module = module_folder("pulumi-resource-kubernetes", _KUBERNETES_PROVIDER, step, log)
    for name in ("schema.json", "terraform-mapping.json"):
        shutil.copyfile(module / "cmd" / "pulumi-resource-kubernetes" / name, source / name)


PULUMI_RESOURCE_KUBERNETES = Recipe(
    "pulumi-resource-kubernetes",
    "pulumi-resource-kubernetes",
    variables=((f"{_KUBERNETES_PROVIDER}/pkg/version.Version", KUBERNETES_PLUGIN),),
    prepare=_add_schema,
)


def _generate_schema(source: Path, step: Step, log: Path) -> None:
    """Let a first build of the plugin generate the schema that the second build embeds."""
    embedded = [source / name for name in ("schema.json", "bridge-metadata.json")]
    for path in embedded:
        path.write_text("{}\n", encoding="utf-8")
    generator = source / "generator"
    compile_in(source, PULUMI_RESOURCE_TLS, generator, step, log)
    run_logged(
        [generator, "schema", "--out", source],
        log,
        step,
        folder=source,
        environment={**os.environ, "TFGEN": "1"},
    )


PULUMI_RESOURCE_TLS = Recipe(
    "pulumi-resource-tls",
    "pulumi-resource-tls",
    variables=(("main.version", TLS_PLUGIN),),
    prepare=_generate_schema,
)
