"""The command ``imageswap``: its subcommands and what they have in common."""

import argparse
import sys
from collections.abc import Sequence

from imageswap import __version__
from imageswap.cli import serve, swap


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="imageswap",
        description="Swap container images by the rules of an image map.",
    )
    parser.add_argument("--version", action="version", version=f"imageswap {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, module, summary in (
        ("swap", swap, "print what the rules make of images"),
        ("serve", serve, "run the admission webhook"),
    ):
        command = commands.add_parser(name, help=summary, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Takes the arguments (those of the process, by default); gives the exit code: 0 done, 1 errors
    in the input, 2 wrong usage.
    """
    arguments = build_parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except BrokenPipeError:
        # The reader, such as `head`, has had enough; nothing more can be said to it.
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130
