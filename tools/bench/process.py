"""A process and all that it started: where it runs, what it used, how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tools.bench.cores import TICK, settle

MARK = "BENCH_PROCESS"

PATIENCE = 60.0
"""Seconds for a server to start or to end."""


class Process:
    """A program on one core, with what it says in `log`."""

    def __init__(
        self, command: Sequence[str], core: int, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.command = tuple(command)
        self._log = log
        # some of what a server starts lets go of its parent; this it keeps
        self._mark = f"{MARK}={uuid.uuid4()}"
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env={**(os.environ if environment is None else environment), MARK: self._mark.partition("=")[2]},
                preexec_fn=lambda: settle(core),
                start_new_session=True,
            )

    def wait_for(self, port: int) -> None:
        """Return when it accepts connections there. Raises SystemExit with what it said if it never does."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.stop()
        raise SystemExit(f"bench: this did not start: {' '.join(self.command)}\n{self._log.read_text()[-2000:]}")

    def cpu(self) -> float:
        """Return the seconds that it and all it started have computed."""
        return sum(_cpu(pid) for pid in self._pids())

    def memory(self, name: str = "VmRSS") -> int:
        """Return octets of memory, all its processes together: VmRSS now, VmHWM the peak of each."""
        return sum(_memory(pid, name) for pid in self._pids())

    def forget_peak_memory(self) -> None:
        """Let VmHWM count from here."""
        for pid in self._pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # proc(5)

    def _pids(self) -> list[int]:
        """It, and whatever it started, however far away."""
        children: dict[int, list[int]] = {}
        marked = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (parent := _parent(int(entry.name))) is not None:
                children.setdefault(parent, []).append(int(entry.name))
                if self._mark in _environment(int(entry.name)):
                    marked.append(int(entry.name))
        found = [self._process.pid]
        for pid in found:
            found += children.get(pid, [])
        return list(dict.fromkeys([*found, *marked]))

    def stop(self) -> None:
        """Ask it to end, and kill what does not; nothing of it is left."""
        pids = self._pids()
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in pids[1:]:
            if _parent(pid) is not None:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/environ").read_text(errors="replace").split("\0")
    except OSError:
        return []


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the third on, or None if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _parent(pid: int) -> int | None:
    stat = _stat(pid)
    return int(stat[1]) if stat and stat[0] != "Z" else None


def _cpu(pid: int) -> float:
    stat = _stat(pid)
    return (int(stat[11]) + int(stat[12])) * TICK if stat else 0.0


def _memory(pid: int, name: str) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    match = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
    return int(match[1]) * 1024 if match else 0
