"""Addresses of Unix sockets: a path may be longer than a socket address."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MAX_SOCKET_PATH = 100
"""The longest path that surely fits into a socket address, in bytes. The system's limit is 104 or 108."""


@contextmanager
def unix_address(path: Path) -> Iterator[str]:
    """Yield a name of `path` that fits into a socket address. It is valid only inside the context."""
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
