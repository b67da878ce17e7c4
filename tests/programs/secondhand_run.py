"""A real `secondhand run`, with all its files in one folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fixtures.environment import PROXY_VARIABLES, TRUST_VARIABLES, environment
from tests.fixtures.proxy_process import COMMANDS, TIMEOUT


@dataclass(frozen=True)
class RunResult:
    """The exit code of a command, its standard output, and its standard error."""

    code: int
    output: str
    errors: str

    @property
    def summary(self) -> str:
        """Return the last line of standard error: the summary of `secondhand run`."""
        return self.errors.strip().splitlines()[-1]

    def count(self, label: str) -> int:
        """Return the number before a label in the summary, such as `from copies`."""
        match = re.search(rf"(\d+) {label}", self.summary)
        assert match, self.errors
        return int(match[1])


def run_to_end(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> RunResult:
    """Run a command in a folder, without standard input, until it ends."""
    done = subprocess.run(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    return RunResult(done.returncode, done.stdout, done.stderr)


class Runner:
    """Runs commands with `secondhand run`. All runs share a store."""

    def __init__(self, folder: Path, origin_ca: Path | None = None) -> None:
        """Use a folder for all files.

        Args:
            folder: The home directory and the working directory of all commands.
            origin_ca: The certificate file of the CA of local origins.
        """
        self.folder = folder
        self._environment = environment(folder, f"{PROXY_VARIABLES}|{TRUST_VARIABLES}")
        self._environment["SECONDHAND_TLS__DIRECTORY"] = str(folder / "own-ca")
        if origin_ca:
            self._environment["SECONDHAND_ORIGIN__CA_FILES"] = json.dumps([str(origin_ca)])
            self._environment["SECONDHAND_ORIGIN__PROXY"] = "none"

    def __call__(self, *arguments: str, wrapper: Sequence[str] = (), **variables: str) -> RunResult:
        """Run `secondhand run` with arguments and environment variables. `wrapper` is a command that runs it."""
        return self.secondhand("run", *arguments, wrapper=wrapper, **variables)

    def secondhand(self, *arguments: str, wrapper: Sequence[str] = (), **variables: str) -> RunResult:
        """Run `secondhand` with arguments and environment variables. `wrapper` is a command that runs it."""
        command = [*wrapper, str(COMMANDS / "secondhand"), *arguments]
        return run_to_end(command, self.folder, self._environment | variables)


def private_store(folder: Path) -> Path:
    """Return the store of the private proxies of a runner with this folder."""
    return folder / ".cache" / "secondhand" / "store-private"


def files_below(folder: Path) -> dict[str, bytes]:
    """Return the contents of all files below a folder by relative path, without those of Git."""
    found = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def without_network() -> Sequence[str]:
    """Return a command that runs another command in a network namespace without a network."""
    return ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--net")
