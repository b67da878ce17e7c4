"""The connections that went around the proxy, as far as programs write them down: Node does (trust/preload.cjs)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

VARIABLE = "DIRECT_CONNECTIONS_OF_SECONDHAND"
"""Names the file to which programs append one `host:port` for each connection."""

MAX_READ = 1_048_576
"""Bytes of the file that are read."""


def read_direct_connections(file: Path) -> Sequence[str]:
    """Return the hosts and ports, one for each connection; nothing if no program has written any."""
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_READ).decode(errors="replace").split()
    except OSError:
        return ()
