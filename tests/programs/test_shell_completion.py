"""The completion scripts in real shells."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from pathlib import Path

import pytest

from addon.cli.completion_scripts import CompletedShell, completion_script
from tests.fixtures.all_commands import PROGRAM
from tests.fixtures.environment import environment
from tests.fixtures.proxy_process import TIMEOUT
from tests.programs.installed_programs import program, run

CASES = [
    ("secondhand trus", ["trust"]),
    ("secondhand trust ex", ["export"]),
    ("secondhand trust export --o", ["--out"]),
    ("secondhand why --as ", ["browser", "curl", "npm", "pip"]),
    ("secondhand ls --co", ["--config"]),
    ("secondhand ls lin", []),
    ("secondhand run -- mkfif", ["mkfifo"]),
]


@pytest.fixture
def script(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return the file of the script for the shell that the test names."""
    path = tmp_path / "script"
    path.write_text(completion_script(PROGRAM, request.param))
    return path


@pytest.mark.parametrize("script", [CompletedShell.BASH], indirect=True)
@pytest.mark.parametrize(("line", "found"), CASES)
def test_bash(script: Path, line: str, found: list[str], tmp_path: Path) -> None:
    words = [*line.split(), *([""] if line.endswith(" ") else [])]
    commands = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _secondhand; printf "%s\\n" "${COMPREPLY[@]}"'
    output = run(tmp_path, program("bash"), "--norc", "-c", commands, str(script), *words)
    assert sorted(set(output.split())) == found


@pytest.mark.parametrize("script", [CompletedShell.FISH], indirect=True)
@pytest.mark.parametrize(("line", "found"), CASES)
def test_fish(script: Path, line: str, found: list[str], tmp_path: Path) -> None:
    output = run(tmp_path, program("fish"), "--no-config", "-c", f'cd; source {script}; complete -C "{line}"')
    assert [row.split("\t")[0] for row in output.splitlines()] == found


@pytest.mark.parametrize("script", [CompletedShell.ZSH], indirect=True)
@pytest.mark.parametrize(("line", "found"), [case for case in CASES if len(case[1]) == 1])
def test_zsh(script: Path, line: str, found: list[str], tmp_path: Path) -> None:
    """The shell completes only on a terminal: the Tab key is pressed, and the whole word appears."""
    shell = program("zsh")
    ours, theirs = pty.openpty()
    environ = environment(tmp_path) | {"TERM": "dumb", "PS1": "", "COLUMNS": "200"}
    command = [shell, "-f", "-i"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, cwd=tmp_path) as process:
        os.close(theirs)
        os.write(ours, f"autoload -U compinit; compinit -u -D; source {script}; print REA''DY\n".encode())
        printed_until("READY", ours)
        os.write(ours, f"{line}\t".encode())
        assert found[0] in printed_until(found[0], ours)
        process.kill()
    os.close(ours)


def printed_until(text: str, terminal: int) -> str:
    """Return what is printed on a terminal until a text, or until nothing comes any more."""
    printed = ""
    end = time.monotonic() + TIMEOUT
    while text not in printed and select.select([terminal], [], [], max(end - time.monotonic(), 0))[0]:
        printed += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", os.read(terminal, 4096).decode())
    return printed
