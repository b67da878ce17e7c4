"""A proxy for one command: a child process with its own store, which ends when this process ends."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from addon.runtime.control import ControlClient, ControlError, running_proxies

SHUTDOWN_TIMEOUT = 10.0
"""Seconds that the proxy gets to end by itself before it is killed."""

_LISTENING = re.compile(r"listens on http://127\.0\.0\.1:(\d+)")


class ProxyDidNotStart(Exception):
    """The private proxy did not start. The text says why."""


class PrivateProxy:
    """A proxy that listens on a free port of 127.0.0.1 while the context is open.

    Attributes:
        port: The port that it listens on.
        control: The client of its control socket.
        log: Its standard error output, set when it has ended.
    """

    def __init__(self, store: Path, settings: Mapping[str, str], listener: socket.socket | None = None) -> None:
        """Start the proxy and wait until it listens.

        Args:
            store: The directory of its store.
            settings: Environment variables with settings, which override those of this process.
            listener: A socket to listen on, in place of one at a free port of 127.0.0.1. It is closed in this process,
                so that clients are refused when the proxy has ended.

        Raises:
            ProxyDidNotStart: it ended before it listened.
        """
        self.log = ""
        self._log_file = tempfile.TemporaryFile()  # noqa: SIM115 - the process writes to it until `close`
        passed = [] if listener is None else [listener.fileno()]
        self._process = subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, "-P", "-m", "addon.cli.serve_for_parent", *map(str, passed)],
            pass_fds=passed,
            env={
                **os.environ,
                **settings,
                "SECONDHAND_LISTEN": "127.0.0.1:0",
                "SECONDHAND_EDGE": "",
                "SECONDHAND_STORE__KIND": "disk",
                "SECONDHAND_STORE__PATH": str(store),
                "SECONDHAND_DRAIN_TIMEOUT": str(SHUTDOWN_TIMEOUT / 2),  # the rest is for the store to be written
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log_file,
            start_new_session=True,  # Ctrl-C at the terminal is for the command only
        )
        if listener is not None:
            listener.close()
        try:
            self.port = self._wait_until_it_listens()
            self.control = self._find_control(store)
        except BaseException:
            self.close()
            raise

    def _wait_until_it_listens(self) -> int:
        assert self._process.stdout is not None  # noqa: S101 - for mypy: Popen was given PIPE
        for line in self._process.stdout:
            if match := _LISTENING.search(line.decode(errors="replace")):
                return int(match[1])
        self._process.wait()
        raise ProxyDidNotStart(self._read_log() or f"the proxy ended with exit code {self._process.returncode}")

    def _find_control(self, store: Path) -> ControlClient:
        for client in running_proxies(store):
            if re.fullmatch(rf"control-{self._process.pid}(-\d+)?\.sock", client.path.name):
                return client
        raise ProxyDidNotStart(self._read_log() or f"the proxy has no control socket in {store}")

    def _read_log(self) -> str:
        self._log_file.seek(0)
        return self._log_file.read().decode(errors="replace").strip()

    def counters(self) -> dict[str, int]:
        """Return its counters, or none if it has ended."""
        try:
            counters = self.control.ask("stats")
        except ControlError:
            return {}
        return {name: number for name, number in counters.items() if isinstance(number, int)}

    def close(self) -> None:
        """End the proxy; kill it if it does not end in time."""
        assert self._process.stdin is not None  # noqa: S101 - for mypy: Popen was given PIPE
        assert self._process.stdout is not None  # noqa: S101 - for mypy: Popen was given PIPE
        self._process.stdin.close()
        try:
            self._process.wait(SHUTDOWN_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self.log = self._read_log()
        self._log_file.close()

    def __enter__(self) -> Self:
        """Return the proxy itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the proxy."""
        self.close()
