"""A proxy for one command: a child process with its own store, which ends when this process ends."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from addon.config.private_profile import PROFILE
from addon.runtime.control_client import ControlClient, ControlError, numbers_in
from addon.runtime.exit_codes import FAILED

SHUTDOWN_TIMEOUT = 10.0
"""Seconds that the proxy gets to end by itself before it is killed."""

PROGRAM = Path(__file__).absolute().parents[3] / "secondhand.py"
"""The file that starts our program. It is named by its path, so that nothing in PYTHONPATH can take its place."""


class ProxyDidNotStart(Exception):
    """The private proxy did not start. The text says why; `exit_code` is the one that it ended with."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class PrivateOptions:
    """The options that a private proxy gets from its parent. It reads all other settings itself."""

    config: str | None = None
    """The settings file."""
    store: str | None = None
    """The directory of its store; by default, the private one."""
    profile: str = PROFILE
    offline: bool = False
    """Ask no origin."""
    record: str = ""
    """The recording to make."""
    replay: str = ""
    """The recording to replay."""
    origin_ca_file: str | None = None
    """A file of CA certificates (PEM) that origins may have, besides those that the settings name."""
    listen_on: int | None = None
    """The descriptor of a socket to listen on, in place of one at a free port of 127.0.0.1."""

    def as_line(self) -> str:
        """Return them as one line of text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_line(cls, line: str) -> PrivateOptions:
        """Return the options in a line that `as_line` has made."""
        return cls(**json.loads(line))


@dataclass(frozen=True, slots=True)
class Places:
    """The places of a private proxy and of its files, which it tells when it listens."""

    port: int
    """The port of 127.0.0.1 that it listens on."""
    control: Path
    """Its control socket."""
    store: Path
    """The directory of its store."""
    ca: Path
    """The directory of its CA."""

    def as_line(self) -> str:
        """Return them as one line of text."""
        return json.dumps(
            {"port": self.port, **{name: str(getattr(self, name)) for name in ("control", "store", "ca")}}
        )

    @classmethod
    def from_line(cls, line: bytes) -> Places:
        """Return the places in a line that `as_line` has made."""
        told = json.loads(line)
        return cls(told["port"], Path(told["control"]), Path(told["store"]), Path(told["ca"]))


class PrivateProxy:
    """A proxy that listens on a free port of 127.0.0.1 while the context is open.

    Attributes:
        places: Where it is.
        url: Its URL.
        control: The client of its control socket.
        log: Its standard error output, set when it has ended.
    """

    def __init__(self, options: PrivateOptions, listener: socket.socket | None = None) -> None:
        """Start the proxy and wait until it listens.

        Args:
            options: Its options.
            listener: A socket to listen on. It is closed in this process, so that clients are refused when the proxy
                has ended.

        Raises:
            ProxyDidNotStart: it ended before it listened.
        """
        self.log = ""
        self._log_file = tempfile.TemporaryFile()  # noqa: SIM115 - the process writes to it until `close`
        passed = [] if listener is None else [listener.fileno()]
        options = replace(options, listen_on=next(iter(passed), None))
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", str(PROGRAM), "serve-for-parent", options.as_line()],
            pass_fds=passed,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log_file,
            start_new_session=True,  # Ctrl-C at the terminal is for the command only
        )
        if listener is not None:
            listener.close()
        try:
            self.places = self._wait_until_it_listens()
        except BaseException:
            self.close()
            raise
        self.url = f"http://127.0.0.1:{self.places.port}"
        self.control = ControlClient(self.places.control)

    def _wait_until_it_listens(self) -> Places:
        assert self._process.stdout is not None  # noqa: S101 - for mypy: Popen was given PIPE
        if line := self._process.stdout.readline():
            return Places.from_line(line)
        code = self._process.wait()
        raise ProxyDidNotStart(self._read_log() or f"the proxy ended with exit code {code}", max(code, FAILED))

    def _read_log(self) -> str:
        self._log_file.seek(0)
        return self._log_file.read().decode(errors="replace").strip()

    def counters(self) -> dict[str, int]:
        """Return its counters, or none if it has ended."""
        try:
            return numbers_in(self.control.ask("stats"))
        except ControlError:
            return {}

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
