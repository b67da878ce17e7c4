"""The size of the largest content that is stored."""

from __future__ import annotations

from addon.pipeline.async_store import AsyncStore
from addon.pipeline.too_large import TooLargeResponse, TooLargeResponses


class SizeLimit:
    """Tells whether content is small enough to be stored, and remembers what was not.

    Its methods suspend where they read from the disk, which a thread of the store does.

    Attributes:
        usual: Bytes that content may have in any case.
    """

    def __init__(
        self, usual: int, too_large: TooLargeResponses, store: AsyncStore, *, up_to_free_space: bool = False
    ) -> None:
        """Allow `usual` bytes or, if that is more and so desired, as many as are free in the store."""
        self.usual = usual
        self._too_large = too_large
        self._store = store
        self._up_to_free_space = up_to_free_space

    async def allows(self, length: int) -> bool:
        """Return whether content with so many bytes is stored. Does not suspend for the usual size."""
        return length <= self.usual or length <= await self.largest()

    async def largest(self) -> int:
        """Return the largest number of bytes that content may have now."""
        return max(self.usual, await self._store.free_space()) if self._up_to_free_space else self.usual

    async def too_large(self, uri: str) -> TooLargeResponse | None:
        """Return what is remembered of a target URI whose last response was too large, if it still is; else None."""
        found = await self._store.run(self._too_large.find, uri)
        return None if found is None or await self.allows(found.length) else found

    async def note_too_large(self, uri: str, length: int, *, whole: bool) -> None:
        """Remember a response that is not stored, with the bytes of its `whole` content, or of those that came."""
        self._too_large.note(TooLargeResponse(uri, length, whole, await self.largest()))
