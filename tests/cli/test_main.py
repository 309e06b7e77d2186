"""What all commands have in common: exit codes, files that cannot be read, colours, pipes."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from imageswap import __version__
from tests.cli.conftest import Shell

COMMANDS = ("swap", "check", "diff", "images", "serve")
RED, GREEN = "\033[1;31m", "\033[32m"


def on_terminal(shell: Shell, *arguments: str, **environment: str) -> str:
    """Run with standard output and standard error on a terminal; give what it shows."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        shell.command(*arguments),
        cwd=shell.folder,
        env=shell.environment(**environment),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = bytearray()
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # Linux says so that the other end is closed
        pass
    os.close(ours)
    process.wait(timeout=60)
    return shown.decode()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(shell: Shell, command: str) -> None:
    done = shell.run(command, "--help")
    assert done.returncode == 0
    assert "--rules" in done.stdout
    assert "Exit codes" in done.stdout


def test_version(shell: Shell) -> None:
    assert shell.run("--version").stdout == f"imageswap {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("unknown",),
        ("swap", "nginx"),
        ("check", "--rules"),
        ("check", "--rules", "r", "--output", "xml"),
        ("diff", "--rules", "r"),
        ("images", "--rules", "r"),
        ("images", "--rules", "r", "--images", "-", "-"),
        ("images", "--rules", "r", "--format", "skopeo", "--output", "json", "m.yaml"),
        ("check", "--rules", "-", "-"),
        ("diff", "--rules", "-", "--to", "-"),
    ],
)
def test_wrong_usage_is_exit_code_2(shell: Shell, arguments: tuple[str, ...]) -> None:
    done = shell.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: imageswap")


@pytest.mark.parametrize(
    "arguments",
    [
        ("swap", "nginx"),
        ("check",),
        ("diff", "--to", "good.map"),
        ("images", "--images", "list"),
    ],
)
def test_a_file_that_cannot_be_read_is_exit_code_1(
    shell: Shell, arguments: tuple[str, ...]
) -> None:
    shell.write("good.map", "default::\n")
    shell.write("list", "nginx\n")
    done = shell.run(*arguments, "--rules", "missing.map")
    assert done.returncode == 1
    assert done.stderr == "missing.map: error: cannot read it: No such file or directory\n"


def test_a_folder_is_no_map(shell: Shell) -> None:
    (shell.folder / "rules").mkdir()
    done = shell.run("swap", "--rules", "rules", "nginx")
    assert (done.returncode, done.stderr) == (
        1,
        "rules: error: cannot read it: Is a directory\n",
    )


def test_other_encodings_are_errors_with_their_place(shell: Shell) -> None:
    shell.write("latin.map", b"default::\n# caf\xe9\n")
    shell.write("utf16.map", "default::\n".encode("utf-16"))
    done = shell.run("swap", "--rules", "latin.map", "nginx")
    assert done.returncode == 1
    assert done.stderr.startswith("latin.map:2:6: error: it is not UTF-8 text: byte 0xe9")
    done = shell.run("swap", "--rules", "utf16.map", "nginx")
    assert done.stderr == (
        "utf16.map:1:1: error: it is not UTF-8 text: byte 0xff is of UTF-16; save it as UTF-8\n"
    )


def test_byte_order_marks_and_line_ends_of_windows_are_taken(shell: Shell) -> None:
    shell.write("rules.map", b"\xef\xbb\xbfdefault::\r\ndocker.io::h.example\r\n")
    done = shell.run("swap", "--rules", "rules.map", "nginx")
    assert (done.stdout, done.stderr) == ("nginx\th.example/nginx\n", "")


def test_colours_on_a_terminal_only(shell: Shell) -> None:
    shell.write("rules.map", "default::h.example\n")
    shell.write("bad.map", "broken\n")
    arguments = ("swap", "--rules", "rules.map", "nginx")
    assert f"nginx\t{GREEN}h.example/nginx\033[0m" in on_terminal(shell, *arguments, TERM="xterm")
    assert "\033" not in on_terminal(shell, *arguments, TERM="xterm", NO_COLOR="1")
    assert "\033" not in on_terminal(shell, *arguments, TERM="dumb")
    assert "\033" not in shell.run(*arguments, TERM="xterm").stdout
    bad = ("swap", "--rules", "bad.map", "nginx")
    shown = on_terminal(shell, *bad, TERM="xterm")
    assert f"{RED}error:\033[0m" in shown
    assert f"{RED}    ^^^^^^\033[0m" in shown
    assert "\033" not in on_terminal(shell, *bad, TERM="xterm", NO_COLOR="1")


def test_an_empty_no_color_is_none(shell: Shell) -> None:
    shell.write("rules.map", "default::h.example\n")
    shown = on_terminal(shell, "swap", "--rules", "rules.map", "x", TERM="xterm", NO_COLOR="")
    assert GREEN in shown


def test_a_reader_that_has_had_enough_is_no_error(shell: Shell) -> None:
    shell.write("rules.map", "default::h.example\n")
    images = shell.write("images", "nginx\n" * 100_000)
    with images.open() as source:
        process = subprocess.Popen(
            shell.command("swap", "--rules", "rules.map"),
            cwd=shell.folder,
            env=shell.environment(),
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"nginx\th.example/nginx\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        process.stderr.close()
        assert process.wait(timeout=60) == 0


def test_interruption_is_exit_code_130(shell: Shell) -> None:
    shell.write("rules.map", "default::h.example\n")
    process = subprocess.Popen(
        shell.command("swap", "--rules", "rules.map"),
        cwd=shell.folder,
        env=shell.environment(PYTHONUNBUFFERED="1"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    # The first answer shows that it reads, and so that it can be interrupted.
    process.stdin.write(b"nginx\n" * 2_000)
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, b"")


def test_a_terminal_without_arrows_is_no_error(shell: Shell) -> None:
    shell.write("rules.map", "default::h.example\n")
    done = shell.run(
        "swap", "--rules", "rules.map", "--explain", "x", PYTHONIOENCODING="ascii", PYTHONUTF8="0"
    )
    assert done.returncode == 0
    assert "\\u2192 h.example/x" in done.stdout


def test_the_server_needs_no_yaml(shell: Shell, tmp_path: Path) -> None:
    shell.write("yaml.py", "raise ImportError('there is no yaml')\n")
    code = "import imageswap.cli.serve, sys; sys.exit('imageswap.pack' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=shell.environment(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
