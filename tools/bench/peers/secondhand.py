"""secondhand, from this environment or any other."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools.bench.peers.peer import Peer
from tools.bench.place import Missing, Place


def secondhand(executable: Path) -> Peer:
    """Return the peer that `executable` starts; its environment's python is taken to be beside it. Raises Missing."""
    if not executable.exists():
        raise Missing(f"{executable} is not there; name another one with --secondhand PATH")
    command = str(executable.absolute())

    def start(place: Place) -> list[str]:
        return [command, "serve", "--config", str(place.configure("peers/secondhand.toml"))]

    def version() -> str:
        python = executable.parent / "python"
        asked = (
            "import importlib.metadata as m, sys; print(m.version('secondhand'), 'on Python', sys.version.split()[0])"
        )
        return subprocess.run([python, "-c", asked], check=True, capture_output=True, text=True).stdout.strip()

    return Peer("secondhand", True, start, version, environment=_environment)


def _environment(place: Place) -> Mapping[str, str]:
    """A home of its own, and none of somebody's settings."""
    kept = {name: value for name, value in os.environ.items() if not re.match("SECONDHAND_|XDG_", name)}
    return {**kept, "HOME": str(place.folder), **place.variables}
