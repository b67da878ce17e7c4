"""The content of a request, whatever protocol it comes by: what is common to all of them is how it is read."""

from __future__ import annotations

import asyncio

from addon.origin import BrokenRequestBody


class IncomingContent:
    """Content on its way in, with one reader.

    Attributes:
        received: Bytes received so far.
        complete: All content has arrived.
    """

    def __init__(self) -> None:
        self.received = 0
        self.complete = False
        self._broken: str | None = None
        self._reader: asyncio.Future[None] | None = None

    async def _wait(self) -> None:
        """Wait for more content.

        Raises:
            StopAsyncIteration: the content is complete.
            BrokenRequestBody: it ends short.
        """
        if self._broken is not None:
            raise BrokenRequestBody(self._broken)
        if self.complete:
            raise StopAsyncIteration
        self._reader = asyncio.get_running_loop().create_future()
        await self._reader

    def _wake(self) -> None:
        """Let the reader look again: there is more content, or none will come."""
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
