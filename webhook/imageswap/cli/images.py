"""Print the images that the mirrors must hold under these rules: each that is swapped, once.

Images that stay as they are belong to no mirror; `imageswap check` lists them.
"""

import argparse
import sys

from imageswap.cli import layers, output
from imageswap.cli.console import Style, complain, paint
from imageswap.cli.image_list import add_image_arguments, read_images
from imageswap.cli.inputs import WrongUsage, require_one_stdin
from imageswap.cli.mirror_list import Copy, as_lines, as_regsync, as_skopeo, skopeo_destination
from imageswap.cli.problem import has_errors
from imageswap.rules.diagnostic import Severity

_LIST, _SKOPEO, _REGSYNC = "list", "skopeo", "regsync"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``images`` on a parser."""
    layers.add_layers_argument(parser, "--rules", "the rules")
    parser.add_argument(
        "--format",
        choices=(_LIST, _SKOPEO, _REGSYNC),
        default=_LIST,
        help="list: `SOURCE<TAB>TARGET` a line; skopeo: the sources as `skopeo sync --src yaml` "
        "reads them; regsync: a configuration that copies each to its target (%(default)s)",
    )
    output.add_output_argument(parser)
    add_image_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """List the images; gives the exit code: 0 done, 1 errors in the input."""
    as_json = arguments.output == output.JSON
    if as_json and arguments.format != _LIST:
        raise WrongUsage(f"--format {arguments.format} is YAML: leave out --output json")
    if not arguments.manifests and not arguments.images:
        raise WrongUsage("name manifests, or a list of images with --images FILE")
    require_one_stdin([*arguments.rules, *arguments.images, *arguments.manifests])
    ruleset, problems = layers.load(arguments.rules)
    if ruleset is None:
        complain(problems)
        return 1
    images, unread = read_images(arguments, (ruleset.engine,))
    problems += unread
    complain(p for p in problems if p.severity is Severity.ERROR or not as_json)
    swaps = map(ruleset.engine.swap, images)
    copies = sorted(Copy(swap.source, swap.target) for swap in swaps if swap.changed)
    if as_json:
        output.write(
            {
                "images": [copy._asdict() for copy in copies],
                "warnings": output.of_problems(problems, Severity.WARNING),
            }
        )
    elif arguments.format == _SKOPEO:
        _print_for_skopeo(copies)
    else:
        print(as_regsync(copies) if arguments.format == _REGSYNC else as_lines(copies), end="")
    return 1 if has_errors(problems) else 0


def _print_for_skopeo(copies: list[Copy]) -> None:
    destination = skopeo_destination(copies)
    if destination is not None:
        scoped = "--scoped " if destination.scoped else ""
        print(f"# skopeo sync --all {scoped}--src yaml --dest docker FILE {destination.place}")
    elif copies:
        warning = paint("warning:", Style.WARNING, sys.stderr)
        print(
            f"imageswap: {warning} no one destination of `skopeo sync` puts all these images at "
            "the targets of the rules: it copies to DESTINATION/NAME, or with --scoped to "
            "DESTINATION/REGISTRY/PATH; `--format regsync` copies each image to its target",
            file=sys.stderr,
        )
    print(as_skopeo(copies), end="")
