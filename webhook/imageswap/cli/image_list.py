"""The images that a command is about: those of manifests, and those of a list."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from imageswap.admission.decision import Policy
from imageswap.cli.inputs import lines, read_text
from imageswap.cli.manifests import Manifest, add_manifests_argument, read
from imageswap.cli.problem import InvalidInput, Problem
from imageswap.cli.workloads import add_label_argument, examine
from imageswap.rules.engine import Engine


def add_image_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare ``MANIFEST…``, ``--images`` and ``--label`` on a parser."""
    parser.add_argument(
        "--images",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a list of images, one a line, or `-` for standard input; it may be given again, and "
        "beside manifests",
    )
    add_label_argument(parser)
    add_manifests_argument(parser, "Kubernetes objects whose images are meant")


def read_images(
    arguments: argparse.Namespace, engines: Sequence[Engine]
) -> tuple[list[str], list[Problem]]:
    """Give the images that are meant, each once, in the order of their first use.

    Takes the parsed arguments and the rules in question. Gives also what could not be read. Images
    of objects that the webhook leaves alone, whatever the rules, are not meant.
    """
    found: dict[str, None] = {}
    manifests, problems = [], []
    for entry in read(arguments.manifests):
        if isinstance(entry, Manifest):
            manifests.append(entry)
        else:
            problems.append(entry)
    policy = Policy(label=arguments.label)
    under_each = (examine(manifests, engine, policy) for engine in engines)
    for same_workload in zip(*under_each, strict=True):
        for same_image in zip(*(workload.images for workload in same_workload), strict=True):
            if not any(image.left_with_object for image in same_image):
                found[same_image[0].swap.source] = None
    for path in arguments.images:
        try:
            found.update(dict.fromkeys(lines(read_text(path))))
        except InvalidInput as error:
            problems.append(error.problem)
    return list(found), problems
