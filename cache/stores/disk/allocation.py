"""Takes space on the disk for a file, so that later writes to it cannot fail for want of space."""

from __future__ import annotations

import os


def allocate(descriptor: int, size: int) -> None:
    """Give a file at least `size` bytes of space; its content stays. Raises OSError if there is not enough space."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    missing = size - os.fstat(descriptor).st_size  # macOS has no such call: write the bytes
    if missing > 0:
        os.pwrite(descriptor, bytes(missing), size - missing)
