"""The size of the largest content that is stored."""

from __future__ import annotations

from collections.abc import Callable

from addon.pipeline.too_large import TooLargeResponse, TooLargeResponses


class SizeLimit:
    """Tells whether content is small enough to be stored, and remembers what was not.

    Attributes:
        usual: Bytes that content may have in any case.
    """

    def __init__(self, usual: int, too_large: TooLargeResponses, free_space: Callable[[], int] | None = None) -> None:
        """Allow `usual` bytes or, if that is more, as many as `free_space` returns: the bytes free in the store."""
        self.usual = usual
        self._too_large = too_large
        self._free_space = free_space

    def allows(self, length: int) -> bool:
        """Return whether content with so many bytes is stored."""
        return length <= self.usual or length <= self.largest()

    def largest(self) -> int:
        """Return the largest number of bytes that content may have now. May read from the disk."""
        return max(self.usual, self._free_space()) if self._free_space else self.usual

    def too_large(self, uri: str) -> TooLargeResponse | None:
        """Return what is remembered of a target URI whose last response was too large, if it still is; else None."""
        found = self._too_large.find(uri)
        return None if found is None or self.allows(found.length) else found

    def note_too_large(self, uri: str, length: int, *, whole: bool) -> None:
        """Remember a response that is not stored, with the bytes of its `whole` content, or of those that came."""
        self._too_large.note(TooLargeResponse(uri, length, whole, self.largest()))
