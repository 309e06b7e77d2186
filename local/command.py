"""Running other programs: briefly for their output, or at length with progress and a log."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.errors import Failed
from local.progress import Step

_TAIL_LINES = 20
_GRACE_SECONDS = 5.0


def output(argv: Sequence[str | Path], *, timeout: float = 30.0) -> str:
    """Run a short command and return what it prints.

    Args:
        argv: The program and its arguments.
        timeout: Seconds after which it is ended.

    Returns:
        Its standard output.

    Raises:
        Failed: It cannot be run, ends with an error or takes too long.
    """
    shown = " ".join(str(part) for part in argv)
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"{shown}: {error}") from error
    if done.returncode:
        raise Failed(f"{shown}: exit code {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def tail(log: Path, lines: int = _TAIL_LINES) -> str:
    """Return the last lines of a log, indented, for use in a message.

    Args:
        log: The log file, which may be missing.
        lines: How many lines.

    Returns:
        The lines, or a note that there are none.
    """
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    kept = text.splitlines()[-lines:] or ["(nothing was logged)"]
    return "\n".join(f"    {line}" for line in kept)


def run_logged(
    argv: Sequence[str | Path],
    log: Path,
    step: Step,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a long command, its output going to the end of a log, and show the time it takes.

    Args:
        argv: The program and its arguments.
        log: The log file, whose folder is made.
        step: What is shown meanwhile.
        folder: The folder to run it in.
        environment: The environment to run it in; by default this process's own.

    Raises:
        Failed: It cannot be run or ends with an error; the message holds the end of the log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        stream.write(("$ " + " ".join(str(part) for part in argv) + "\n").encode())
        stream.flush()
        try:
            # A session of its own, so that a Ctrl-C reaches it only through _stop, and whole.
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise Failed(f"{argv[0]} cannot be run: {error}") from error
        try:
            while True:
                try:
                    code = process.wait(timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    step.tick()
        except BaseException:
            _stop(process)
            raise
    if code:
        raise Failed(
            f"{argv[0]} ended with exit code {code}. The end of its output:\n{tail(log)}\n"
            f"The whole of it: {log}"
        )


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process with all that it started in its session, asking politely first."""
    for number in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=_GRACE_SECONDS)
            return
        except ProcessLookupError:
            process.wait()
            return
        except subprocess.TimeoutExpired:
            continue
