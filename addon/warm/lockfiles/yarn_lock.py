"""yarn.lock: two formats have this name, that of Yarn 1 and that of Yarn 2 and later."""

from __future__ import annotations

from addon.offline.wanted import Found, read_text
from addon.warm.lockfiles import yarn_berry_lock, yarn_classic_lock
from addon.warm.lockfiles.lock_file import LockFile


async def found_in(lock: LockFile) -> Found:
    """Return the tarballs of every package. Raises SourceError."""
    text = read_text(lock.path)
    if any(line.startswith("__metadata:") for line in text.splitlines()):
        return await yarn_berry_lock.found_in(lock, text)
    return yarn_classic_lock.found_in(lock, text)
