"""The stretch of a growing body that is held in memory."""

from __future__ import annotations

from bisect import bisect_right


class FillWindow:
    """Octets `start` (inclusive) to `end` (exclusive) of a body that grows at its end and is let go of at its start."""

    def __init__(self) -> None:
        self.end = 0
        self._chunks: list[bytes] = []
        self._starts: list[int] = []

    @property
    def start(self) -> int:
        """Return where the octets begin."""
        return self._starts[0] if self._starts else self.end

    def append(self, chunk: bytes) -> None:
        """Take octets at the end."""
        if chunk:
            self._chunks.append(chunk)
            self._starts.append(self.end)
            self.end += len(chunk)

    def at(self, position: int) -> bytes | None:
        """Return octets from `position` on, as many as lie together, or None where they are not held."""
        if not self.start <= position < self.end:
            return None
        index = bisect_right(self._starts, position) - 1
        within = position - self._starts[index]
        return self._chunks[index][within:] if within else self._chunks[index]

    def let_go(self, before: int) -> None:
        """Forget chunks that end at `before` or earlier."""
        index = len(self._starts) if before >= self.end else bisect_right(self._starts, before) - 1
        if index > 0:
            del self._chunks[:index], self._starts[:index]
