"""A file that other programs may change at any time, like /etc/resolv.conf when a laptop joins another network."""

from __future__ import annotations

from pathlib import Path


class WatchedFile:
    """Tells whether a file has changed. Symbolic links are followed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: object = None

    def changed(self) -> bool:
        """Return whether the file is another than at the last call. At the first call it is."""
        try:
            status = self.path.stat()
            now = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
        except OSError:
            now = (0, 0, 0, 0)
        changed, self._seen = now != self._seen, now
        return changed

    def text(self) -> str:
        """Return the content. It is empty if the file cannot be read."""
        try:
            return self.path.read_text("utf-8", errors="replace")
        except OSError:
            return ""
