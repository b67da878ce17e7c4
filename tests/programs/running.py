"""A real `secondhand run`, with everything that it keeps in one folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fixtures.proxy_process import COMMANDS, PATIENCE, environment
from tests.programs.programs import NOT_THEIRS

TRUST = "SSL_CERT|REQUESTS_CA|CURL_CA|GIT_SSL|CARGO_|npm_config|NODE_|AWS_CA|JAVA_TOOL"


@dataclass(frozen=True)
class Ran:
    """What came of a command."""

    code: int
    output: str
    errors: str

    @property
    def summary(self) -> str:
        """The line that secondhand says at the end."""
        return self.errors.strip().splitlines()[-1]

    def count(self, what: str) -> int:
        """Return a number of the summary, like that of `from copies`."""
        match = re.search(rf"(\d+) {what}", self.summary)
        assert match, self.errors
        return int(match[1])


def ran(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Ran:
    """Run a command in a folder to its end, with nothing to read."""
    done = subprocess.run(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


class Runner:
    """Runs commands by `secondhand run`; each finds what the ones before it have kept."""

    def __init__(self, folder: Path, trusts: Path | None = None, around: Sequence[str] = ()) -> None:
        """Keep everything in a folder.

        Args:
            folder: The home directory of all that runs.
            trusts: The certificate authority of local origins.
            around: A command that runs `secondhand`, like `strace`.
        """
        self.folder = folder
        self._around = around
        self._environment = environment(folder, f"{NOT_THEIRS}|{TRUST}|XDG_")
        self._environment["SECONDHAND_TLS__DIRECTORY"] = str(folder / "own-authority")
        if trusts:
            self._environment["SECONDHAND_ORIGIN__CA_FILES"] = json.dumps([str(trusts)])
            self._environment["SECONDHAND_ORIGIN__PROXY"] = "none"

    def __call__(self, *arguments: str, around: Sequence[str] = (), **variables: str) -> Ran:
        """Run `secondhand run` with these arguments."""
        return self.secondhand("run", *arguments, around=around, **variables)

    def secondhand(self, *arguments: str, around: Sequence[str] = (), **variables: str) -> Ran:
        """Run `secondhand` with these arguments."""
        command = [*around, *self._around, str(COMMANDS / "secondhand"), *arguments]
        return ran(command, self.folder, self._environment | variables)


def private_store(folder: Path) -> Path:
    """Return where a runner's proxies keep what they keep."""
    return folder / ".cache" / "secondhand" / "store-private"


def files_below(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder but those of Git, by their relative path."""
    found = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def without_a_route() -> Sequence[str]:
    """Return a command that runs another one where no network is."""
    return ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--net")
