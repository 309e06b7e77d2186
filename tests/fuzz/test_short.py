"""A few seconds of each fuzz target; `make fuzz` is the long form."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("fuzz_rules.py")
SECONDS = 4


@pytest.mark.parametrize("target", ["map", "reference", "pack"])
def test_nothing_but_clean_errors(target: str) -> None:
    command: list[str | Path] = [sys.executable, PROGRAM, target, f"-max_total_time={SECONDS}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
