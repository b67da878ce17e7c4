"""secondhand, from this Python environment or another one."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools.bench.peers.peer import Peer
from tools.bench.server_settings import MissingProgram, ServerSettings

_VERSION = """
import importlib.metadata as m, sys, sysconfig as s
flags = s.get_config_var("CONFIG_ARGS") or ""
used = [name for flag, name in (("--enable-optimizations", "PGO"), ("--with-lto", "LTO")) if flag in flags]
if "deb_system" in s.get_scheme_names():  # Debian does not keep the flags of its build
    used = ["PGO", "LTO"]
build = "with " + " and ".join(used) if used else "without PGO and LTO"
print(m.version("secondhand"), "on Python", sys.version.split()[0], f"({build})")
"""


def secondhand(name: str, executable: Path, workers: int = 1) -> Peer:
    """Return the peer for an executable, whose environment has `python` in the same folder. Raises MissingProgram."""
    if not executable.exists():
        raise MissingProgram(f"{executable} does not exist; give the path of another one with --secondhand PATH")
    program = str(executable.absolute())

    def command(settings: ServerSettings) -> list[str]:
        configuration = settings.write_configuration("peers/secondhand.toml")
        return [program, "serve", "--config", str(configuration), "--workers", str(workers)]

    def version() -> str:
        python = executable.parent / "python"
        printed = subprocess.run([python, "-c", _VERSION], check=True, capture_output=True, text=True).stdout.strip()
        return printed if workers == 1 else f"{printed} with {workers} workers"

    return Peer(name, is_forward_proxy=True, command=command, version=version, environment=_environment)


def _environment(settings: ServerSettings) -> Mapping[str, str]:
    """Return an environment with a new home directory, and without the user's own secondhand and XDG settings."""
    kept = {name: value for name, value in os.environ.items() if not re.match("SECONDHAND_|XDG_", name)}
    return {**kept, "HOME": str(settings.folder), **settings.variables}
