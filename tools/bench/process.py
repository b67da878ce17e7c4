"""A process together with all processes that it started: its core, its CPU time and memory, its end."""

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

from tools.bench.cores import TICK, pin_to_core

MARK_VARIABLE = "BENCH_PROCESS"
"""Environment variable that marks a process and all processes that it starts."""

START_TIMEOUT = 60.0
"""Seconds."""
STOP_TIMEOUT = 10.0
"""Seconds."""


class Process:
    """A program on one core; its output goes to the file `log`."""

    def __init__(
        self, command: Sequence[str], core: int, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.command = tuple(command)
        self._log = log
        # a daemon detaches from its parent process, but keeps its environment
        mark = str(uuid.uuid4())
        self._mark = f"{MARK_VARIABLE}={mark}"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**(os.environ if environment is None else environment), MARK_VARIABLE: mark},
                preexec_fn=lambda: pin_to_core(core),
                start_new_session=True,
            )

    def wait_for(self, port: int) -> None:
        """Return when the port accepts connections. Raises SystemExit, with the program's output, if it never does."""
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.stop()
        raise SystemExit(f"bench: this did not start: {' '.join(self.command)}\n{self._log.read_text()[-2000:]}")

    def cpu(self) -> float:
        """Return the CPU time of all processes together, in seconds."""
        return sum(cpu_of(pid) for pid in self._pids())

    def memory(self, name: str = "VmRSS") -> int:
        """Return the memory of all processes together, in bytes. `name`: VmRSS for now, VmHWM for the peaks."""
        return sum(_memory(pid, name) for pid in self._pids())

    def reset_peak_memory(self) -> None:
        """Make VmHWM start again from the present memory."""
        for pid in self._pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # proc(5)

    def _pids(self) -> list[int]:
        """Return the process and all that it started, directly or not; the process itself comes first."""
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
        """Terminate the process, and kill all that is left after that."""
        pids = self._pids()
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
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
    """Return a free port on the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(pid: int) -> list[str]:
    """Return the environment of a process as NAME=VALUE; empty if it cannot be read."""
    try:
        return Path(f"/proc/{pid}/environ").read_text(errors="replace").split("\0")
    except OSError:
        return []


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat from the third one on, or None if the process does not exist."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _parent(pid: int) -> int | None:
    """Return the parent of a process, or None if the process has ended."""
    stat = _stat(pid)
    return int(stat[1]) if stat and stat[0] != "Z" else None


def cpu_of(pid: int) -> float:
    """Return user and system time of a process, in seconds."""
    stat = _stat(pid)
    return (int(stat[11]) + int(stat[12])) * TICK if stat else 0.0


def _memory(pid: int, name: str) -> int:
    """Return a memory figure from /proc/PID/status, in bytes; 0 if it does not exist."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    match = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
    return int(match[1]) * 1024 if match else 0
