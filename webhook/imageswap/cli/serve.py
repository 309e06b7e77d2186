"""Run the admission webhook until SIGTERM."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from imageswap.admission.decision import DEFAULT_LABEL, Policy
from imageswap.cli.rules import add_rules_argument, load_rules
from imageswap.registry import credentials, settings_file
from imageswap.registry.checker import Checker
from imageswap.registry.credentials import InvalidCredentials, Keyring
from imageswap.registry.settings import InvalidSettings, Limits
from imageswap.server.app import Application, Mode
from imageswap.server.metrics import Metrics
from imageswap.server.runner import CannotServe, Listener, RuleFiles, serve


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
        "--metrics-port",
        type=int,
        default=0,
        metavar="PORT",
        help="the TCP port of /metrics, in plain HTTP; 0 for none (%(default)s)",
    )
    parser.add_argument(
        "--targets",
        choices=("templates", "pods"),
        default="templates",
        help="swap Pod templates as well as Pods, or only Pods (%(default)s)",
    )
    parser.add_argument(
        "--mode",
        choices=("swap", "audit"),
        default="swap",
        help="`audit` decides, logs, counts and warns, and changes nothing (%(default)s)",
    )
    parser.add_argument(
        "--missing-image",
        choices=("swap", "source"),
        default="swap",
        help="`source` asks the target's registry first, and keeps the source where the image is "
        "not to be located there (%(default)s)",
    )
    parser.add_argument(
        "--registries",
        type=Path,
        metavar="FILE",
        help="with --missing-image=source: JSON of registry to `ca` (PEM), `insecureSkipVerify` "
        "and `scheme`",
    )
    parser.add_argument(
        "--registry-credentials",
        type=Path,
        metavar="FILE",
        help="with --missing-image=source: the content of a kubernetes.io/dockerconfigjson Secret",
    )
    parser.add_argument(
        "--remember-found",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="how long an image that is there is not asked for again (%(default)s)",
    )
    parser.add_argument(
        "--remember-missing",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="how long any other answer of a registry holds (%(default)s)",
    )
    parser.add_argument(
        "--record-source",
        action="store_true",
        help="keep the source images in an annotation of the object",
    )
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
    metrics = Metrics()
    policy = Policy(label=arguments.label, templates=arguments.targets == "templates")
    mode = Mode(audit=arguments.mode == "audit", record_source=arguments.record_source)
    try:
        checker = _checker(arguments, metrics)
    except (OSError, InvalidSettings, InvalidCredentials) as error:
        print(f"imageswap serve: {error}", file=sys.stderr)
        return 1
    application = Application(ruleset, policy, mode, metrics, checker)
    listener = Listener(
        host=arguments.host,
        port=arguments.port,
        metrics_port=arguments.metrics_port,
        certificate=arguments.tls_cert,
        key=arguments.tls_key,
        drain=arguments.drain,
    )
    rules = RuleFiles(arguments.rules, lambda: load_rules(arguments.rules))
    try:
        serve(application, metrics, listener, rules)
    except CannotServe as error:
        print(f"imageswap serve: {error}", file=sys.stderr)
        return 1
    return 0


def _checker(arguments: argparse.Namespace, metrics: Metrics) -> Checker | None:
    """Make what asks the registries; None where they are not asked."""
    if arguments.missing_image == "swap":
        return None
    registries, keyring = {}, Keyring()
    if arguments.registries:
        try:
            registries = settings_file.read(arguments.registries.read_text("utf-8"))
        except InvalidSettings as error:
            raise InvalidSettings(f"{arguments.registries}: {error}") from None
    if arguments.registry_credentials:
        try:
            keyring = credentials.read(arguments.registry_credentials.read_bytes())
        except InvalidCredentials as error:
            raise InvalidCredentials(f"{arguments.registry_credentials}: {error}") from None
    limits = Limits(
        found_seconds=arguments.remember_found, other_seconds=arguments.remember_missing
    )
    return Checker(registries, keyring, limits, metrics)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``serve`` alone, as the bundle does."""
    parser = argparse.ArgumentParser(prog="imageswap serve", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args(argv))
