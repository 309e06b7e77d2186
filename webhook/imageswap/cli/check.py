"""Check rules and, with manifests, say which of their images would change and how."""

import argparse
from typing import Any

from imageswap.admission.decision import Policy
from imageswap.cli import layers, output
from imageswap.cli.console import Style, complain, count, paint
from imageswap.cli.inputs import require_one_stdin
from imageswap.cli.manifests import Manifest, add_manifests_argument, read
from imageswap.cli.problem import Problem, has_errors
from imageswap.cli.workloads import ContainerImage, Workload, add_label_argument, examine
from imageswap.rules.diagnostic import Severity
from imageswap.rules.engine import Engine
from imageswap.rules.ruleset import Ruleset


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``check`` on a parser."""
    layers.add_layers_argument(parser, "--rules", "the rules")
    parser.add_argument("--strict", action="store_true", help="take warnings for errors")
    add_label_argument(parser)
    output.add_output_argument(parser)
    add_manifests_argument(parser, "Kubernetes objects to see the images of")


def run(arguments: argparse.Namespace) -> int:
    """Check; gives the exit code: 0 clean, 1 errors, or warnings where they count as such."""
    require_one_stdin([*arguments.rules, *arguments.manifests])
    ruleset, problems = layers.load(arguments.rules)
    workloads: list[Workload] = []
    if ruleset is not None:
        read_all = list(read(arguments.manifests))
        problems = problems + [found for found in read_all if isinstance(found, Problem)]
        manifests = [found for found in read_all if isinstance(found, Manifest)]
        workloads = list(examine(manifests, ruleset.engine, Policy(label=arguments.label)))
        problems.extend(_warnings(workloads))
    failed = has_errors(problems) or (arguments.strict and bool(problems))
    if arguments.output == output.JSON:
        complain(problem for problem in problems if problem.severity is Severity.ERROR)
        output.write(_as_json(ruleset, workloads, problems))
    else:
        complain(problems)
        _print(ruleset, workloads, problems)
    return 1 if failed else 0


def _warnings(workloads: list[Workload]) -> list[Problem]:
    return [
        Problem(
            Severity.WARNING,
            workload.manifest.file,
            f"{workload}, {image.label}: {image.swap.warning}",
            line=workload.manifest.line,
        )
        for workload in workloads
        for image in workload.images
        if image.swap.warning
    ]


def _print(ruleset: Ruleset | None, workloads: list[Workload], problems: list[Problem]) -> None:
    for workload in workloads:
        place = f"({workload.manifest.file}:{workload.manifest.line})"
        print(f"{paint(str(workload), Style.HEADING)} {paint(place, Style.ASIDE)}")
        for image in workload.images:
            print(f"    {image.label}: {_outcome(image)}")
    print(_summary(ruleset, workloads, problems))


def _outcome(image: ContainerImage) -> str:
    if image.changed:
        return f"{image.swap.source} → {paint(image.target, Style.NEW)}"
    return f"{image.swap.source} {paint(f'stays: {image.reason}', Style.ASIDE)}"


def _summary(ruleset: Ruleset | None, workloads: list[Workload], problems: list[Problem]) -> str:
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    parts = []
    if ruleset is not None:
        parts.append(count(len(ruleset.engine.rules), "rule"))
    if workloads:
        found = [image for workload in workloads for image in workload.images]
        changed = sum(image.changed for image in found)
        parts.append(
            f"{count(len(found), 'image')} in {count(len(workloads), 'object')}: "
            f"{changed} to change, {len(found) - changed} to stay"
        )
    parts.append(f"{count(errors, 'error')}, {count(len(problems) - errors, 'warning')}")
    return "; ".join(parts)


def _as_json(
    ruleset: Ruleset | None, workloads: list[Workload], problems: list[Problem]
) -> output.Json:
    return {
        "rules": len(ruleset.engine.rules) if ruleset else None,
        "objects": [_object(ruleset.engine, workload) for workload in workloads] if ruleset else [],
        "errors": output.of_problems(problems, Severity.ERROR),
        "warnings": output.of_problems(problems, Severity.WARNING),
    }


def _object(engine: Engine, workload: Workload) -> dict[str, Any]:
    return {
        "file": workload.manifest.file,
        "line": workload.manifest.line,
        "kind": workload.kind,
        "namespace": workload.namespace or None,
        "name": workload.name,
        "images": [
            {
                "field": image.field,
                "container": image.name,
                **output.of_swap(engine, image.swap),
                "target": image.target,
                "changed": image.changed,
                "reason": image.reason or None,
            }
            for image in workload.images
        ],
    }
