"""bun.lockb, the binary lock file of older versions of Bun, is not read: Bun itself replaces it with bun.lock."""

from __future__ import annotations

from addon.offline.wanted import Found, SourceError
from addon.warm.lockfiles.lock_file import LockFile


async def found_in(lock: LockFile) -> Found:
    """Raise SourceError, with the command that makes a bun.lock."""
    raise SourceError(f"{lock.path}: expected bun.lock; make it with: bun install --save-text-lockfile --lockfile-only")
