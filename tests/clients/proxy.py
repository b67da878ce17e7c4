"""A real `secondhand serve` in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Self

COMMANDS = Path(sys.executable).parent
"""Where the environment that runs the tests has its commands, `secondhand` among them."""

PATIENCE = 120
"""Seconds after which a program that should have ended has failed."""


class Proxy:
    """A proxy with a store and a certificate authority in `folder`; another one in the same folder finds both again.

    Args:
        folder: Where it keeps everything.
        trusts: The certificate authority of its origins, for local ones.
        command: What to run, by default `secondhand serve`; it listens on any port of 127.0.0.1 that is free.
        settings: Settings by the names of their environment variables, without the prefix.
    """

    def __init__(
        self,
        folder: Path,
        trusts: Path | None = None,
        command: tuple[str, ...] = ("secondhand", "serve"),
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.folder = folder
        self.certificate = folder / "secondhand-ca.pem"
        self._environment = environment(folder) | {
            "SECONDHAND_LISTEN": "127.0.0.1:0",
            "SECONDHAND_STORE__PATH": str(folder / "store"),
            "SECONDHAND_TLS__DIRECTORY": str(folder / "own-authority"),
            **{f"SECONDHAND_{name}": value for name, value in settings.items()},
        }
        if trusts:
            self._environment["SECONDHAND_ORIGIN__CA_FILES"] = json.dumps([str(trusts)])
            self._environment["SECONDHAND_ORIGIN__PROXY"] = "none"
        self._log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [COMMANDS / command[0], *command[1:]],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.port = self._port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.run("trust", "export", "--out", str(self.certificate))

    def _port(self) -> int:
        """Wait until the proxy says where it listens."""
        assert self._process.stdout
        said = ""
        for line in self._process.stdout:
            said += line
            if match := re.search(r"listen\w+ (?:on|at) \S*(?:127\.0\.0\.1|0\.0\.0\.0):(\d+)", line):
                return int(match[1])
        self.kill()
        raise AssertionError(f"the proxy did not start:\n{said}{(self.folder / 'log').read_text()}")

    def run(self, *arguments: str) -> str:
        """Return what a `secondhand` command prints, given the same settings as the proxy."""
        return subprocess.run(
            [COMMANDS / "secondhand", *arguments],
            env=self._environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
        ).stdout

    def counters(self) -> dict[str, int]:
        """Return what the proxy has counted since it started."""
        (proxy,) = json.loads(self.run("stats", "--json"))["proxies"]
        return dict(proxy["counters"])

    def forget_peak_memory(self) -> None:
        """Let `peak_memory` count from here."""
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")  # proc(5): resets VmHWM

    def peak_memory(self) -> int:
        """Return the most octets of memory that the process has had."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        match = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
        assert match
        return int(match[1]) * 1024

    def kill(self) -> None:
        """Kill -9."""
        self._process.kill()
        self._end()

    def stop(self) -> None:
        """Ask it to end, as an operator would, and see that it does so in order."""
        self._process.send_signal(signal.SIGTERM)
        assert self._end() == 0

    def _end(self) -> int:
        code = self._process.wait(PATIENCE)
        assert self._process.stdout
        self._process.stdout.close()
        self._log.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self.kill()


def environment(home: Path, without: str = "SECONDHAND_|XDG_") -> dict[str, str]:
    """Return the environment with another home, and without variables of some beginnings, like somebody's settings."""
    kept = {name: value for name, value in os.environ.items() if not re.match(without, name, re.IGNORECASE)}
    return {**kept, "HOME": str(home)}
