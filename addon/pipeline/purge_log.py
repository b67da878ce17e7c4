"""The log of purges: one line of JSON for each, with who has ordered it, what it covers, and how many copies it was."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from addon.pipeline.purge_orders import PurgeOrder
from cache.stores.base import Extent

logger = logging.getLogger(__name__)

MAX_SIZE = 16 << 20
"""Bytes after which the file is renamed, to a name that ends with `.1`, and a new one is begun."""


class PurgeLog:
    """Appends lines to a file, which several processes may share. A line that cannot be written is a warning."""

    def __init__(self, file: Path, clock: Callable[[], float]) -> None:
        """Use a file, which is created with access for this user only; `clock` returns seconds since the epoch."""
        self._file = file
        self._clock = clock

    def use(self, file: Path) -> None:
        """Write the next lines to another file."""
        self._file = file

    def note(self, order: PurgeOrder, extent: Extent) -> None:
        """Write the line of a purge."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds"),
            "by": order.by,
            "what": order.what,
            "soft": order.soft,
            "dry_run": order.dry_run,
            "copies": extent.copies,
        }
        if extent.size is not None:
            line["size"] = extent.size
        try:
            self._write(f"{json.dumps(line)}\n".encode())
        except OSError as error:
            logger.warning("a purge was not logged in %s: %s: %s", self._file, error.strerror, line)

    def _write(self, line: bytes) -> None:
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_size >= MAX_SIZE:
                self._file.replace(self._file.with_name(f"{self._file.name}.1"))
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
