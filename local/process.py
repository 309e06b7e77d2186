"""Processes known by more than their number, which the kernel gives to another one some day."""

import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from local.errors import Failed

_END_SECONDS = 15.0


@dataclass(frozen=True)
class Process:
    """A process that `local.supervisor` has recorded.

    Attributes:
        pid: Its number.
        start_time: When it started, in the kernel's ticks since the boot.
        boot: The identity of that boot.
    """

    pid: int
    start_time: int
    boot: str

    @classmethod
    def recorded(cls, path: Path) -> "Process | None":
        """Read a record.

        Args:
            path: The file.

        Returns:
            The process, which may have ended; None where there is no such record.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(int(content["pid"]), int(content["start_time"]), str(content["boot"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        try:
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
            stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8")
        except OSError:
            return False
        # proc(5): the third field is the state, the 22nd the start time.
        fields = stat.rpartition(")")[2].split()
        return boot == self.boot and int(fields[19]) == self.start_time and fields[0] not in "ZX"

    def kill(self) -> None:
        """End it at once and wait until it is gone.

        Raises:
            Failed: It does not end.
        """
        deadline = time.monotonic() + _END_SECONDS
        while self.alive:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                return
            if time.monotonic() > deadline:
                raise Failed(f"process {self.pid} does not end")
            time.sleep(0.05)
