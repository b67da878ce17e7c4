"""A proxy for one command: a process of ours, with a store of its own, that never outlives us."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from addon.runtime.control import ControlClient, ControlError, running_proxies

PATIENCE = 10.0
"""Seconds that it has to end by itself."""

_LISTENING = re.compile(r"listens on http://127\.0\.0\.1:(\d+)")


class ProxyDidNotStart(Exception):
    """The text says why."""


class PrivateProxy:
    """Listens on a free port of 127.0.0.1 while the context is open.

    Attributes:
        port: Where it listens.
        last_words: All that it wrote to standard error, once it has ended.
        control: Its control socket.
    """

    def __init__(self, store: Path, settings: Mapping[str, str]) -> None:
        """Start it.

        Args:
            store: The directory of its store.
            settings: What holds beside the environment's settings, by the names of environment variables.

        Raises:
            ProxyDidNotStart: it ended before it listened.
        """
        self.last_words = ""
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "addon.cli.serve_for_parent"],
            env={
                **os.environ,
                **settings,
                "SECONDHAND_LISTEN": "127.0.0.1:0",
                "SECONDHAND_EDGE": "",
                "SECONDHAND_STORE__KIND": "disk",
                "SECONDHAND_STORE__PATH": str(store),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C at the terminal is for the command
        )
        try:
            self.port = self._wait_until_it_listens()
            self.control = self._find_control(store)
        except BaseException:
            self.close()
            raise

    def _wait_until_it_listens(self) -> int:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        for line in self._process.stdout:
            if match := _LISTENING.search(line.decode(errors="replace")):
                return int(match[1])
        self._process.wait()
        raise ProxyDidNotStart(self.said() or f"the proxy ended with {self._process.returncode}")

    def _find_control(self, store: Path) -> ControlClient:
        for client in running_proxies(store):
            if re.fullmatch(rf"control-{self._process.pid}(-\d+)?\.sock", client.path.name):
                return client
        raise ProxyDidNotStart(self.said() or f"the proxy holds no control socket in {store}")

    def said(self) -> str:
        """Return what it wrote to standard error."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace").strip()

    def counters(self) -> dict[str, int]:
        """Return what it has counted; nothing if it is gone."""
        try:
            counted = self.control.ask("stats")
        except ControlError:
            return {}
        return {name: number for name, number in counted.items() if isinstance(number, int)}

    def close(self) -> None:
        """End it, by force if it does not end by itself."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self.last_words = self.said()
        self._log.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.close()
