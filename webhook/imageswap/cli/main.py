"""The command ``imageswap``: its subcommands and what they have in common."""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from imageswap import __version__
from imageswap.cli.inputs import WrongUsage

# Each a module of this package.
_COMMANDS = {
    "swap": "print what the rules make of images",
    "check": "check rules, and see what they make of manifests",
    "diff": "say what changes from one set of rules to another",
    "images": "list the images that the mirrors must hold",
    "serve": "run the admission webhook",
}
_EXIT_CODES = (
    "Exit codes: 0 done, 1 errors in the input, 2 wrong usage, 130 interrupted. Colours appear on "
    "a terminal only, and not where NO_COLOR is set."
)


def build_parser(chosen: str | None = None) -> argparse.ArgumentParser:
    """Make the parser of the whole command line.

    Takes the command that is to be run; only that one is complete, and only its modules are
    imported, so that none waits for what another needs.
    """
    parser = argparse.ArgumentParser(
        prog="imageswap",
        description="Swap container images by the rules of an image map.",
        epilog=_EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"imageswap {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, summary in _COMMANDS.items():
        command = commands.add_parser(name, help=summary, epilog=_EXIT_CODES)
        if name == chosen:
            module = import_module(f"imageswap.cli.{name}")
            command.description = module.__doc__
            module.add_arguments(command)
            command.set_defaults(run=module.run, parser=command)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Takes the arguments (those of the process, by default); gives the exit code: 0 done, 1 errors
    in the input, 2 wrong usage.
    """
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        # No byte that comes in, and no character that a terminal lacks, is to end the program.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    given = sys.argv[1:] if argv is None else list(argv)
    arguments = build_parser(next(iter(given), None)).parse_args(given)
    try:
        code = int(arguments.run(arguments))
        sys.stdout.flush()
    except WrongUsage as error:
        arguments.parser.error(str(error))
    except BrokenPipeError:
        # The reader, such as `head`, has had enough; nothing more can be said to it. What is still
        # in the buffer goes nowhere, or Python would complain of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return code
