"""The part of a growing body that is held in memory."""

from __future__ import annotations

from bisect import bisect_right


class FillWindow:
    """Bytes `start` (inclusive) to `end` (exclusive) of a body: appended at the end, released at the start."""

    def __init__(self) -> None:
        self.end = 0
        self._chunks: list[bytes] = []
        self._starts: list[int] = []

    @property
    def start(self) -> int:
        """The position of the first byte in memory."""
        return self._starts[0] if self._starts else self.end

    def append(self, chunk: bytes) -> None:
        """Append bytes."""
        if chunk:
            self._chunks.append(chunk)
            self._starts.append(self.end)
            self.end += len(chunk)

    def at(self, position: int) -> bytes | None:
        """Return the bytes from `position` to the end of their chunk, or None if they are not in memory."""
        if not self.start <= position < self.end:
            return None
        index = bisect_right(self._starts, position) - 1
        offset = position - self._starts[index]
        return self._chunks[index][offset:] if offset else self._chunks[index]

    def release(self, before: int) -> None:
        """Release the chunks that end at position `before` or earlier."""
        index = len(self._starts) if before >= self.end else bisect_right(self._starts, before) - 1
        if index > 0:
            del self._chunks[:index], self._starts[:index]
