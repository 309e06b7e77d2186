"""Run the admission webhook until SIGTERM."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from imageswap.admission.decision import DEFAULT_LABEL, Policy
from imageswap.cli.rules import add_rules_argument, load_rules
from imageswap.server.app import Application
from imageswap.server.runner import CannotServe, Listener, serve


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``serve`` on a parser."""
    add_rules_argument(parser)
    parser.add_argument(
        "--tls-cert", type=Path, required=True, metavar="FILE", help="the certificate chain, PEM"
    )
    parser.add_argument(
        "--tls-key", type=Path, required=True, metavar="FILE", help="its private key, PEM"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="the address to listen on (%(default)s)"
    )
    parser.add_argument("--port", type=int, default=8443, help="the TCP port (%(default)s)")
    parser.add_argument(
        "--label",
        default=DEFAULT_LABEL,
        metavar="KEY",
        help="the label that opts an object out with the value `disabled` (%(default)s)",
    )
    parser.add_argument(
        "--drain",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="after SIGTERM, be not ready for so long and answer still, so that clients go "
        "elsewhere before the port closes (%(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT.

    Takes the parsed options; gives the exit code: 0 after a shutdown, 1 where the rules, the
    certificate or the port cannot be used, which is said on standard error.
    """
    ruleset = load_rules(arguments.rules)
    if ruleset is None:
        return 1
    application = Application(ruleset, Policy(label=arguments.label))
    listener = Listener(
        arguments.host, arguments.port, arguments.tls_cert, arguments.tls_key, arguments.drain
    )
    try:
        serve(application, listener)
    except CannotServe as error:
        print(f"imageswap serve: {error}", file=sys.stderr)
        return 1
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``serve`` alone, as the bundle does."""
    parser = argparse.ArgumentParser(prog="imageswap serve", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args(argv))
