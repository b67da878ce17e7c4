"""The end of a proxy: it waits for responses under way, but not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


class Draining:
    """The end of a proxy: it was asked to stop, and may still wait for responses. Belongs to the event loop."""

    def __init__(self) -> None:
        self.begun = False
        """The proxy is to stop."""
        self._at_once = asyncio.Event()

    def begin(self) -> None:
        """Stop after the responses under way; when called again, stop at once."""
        if self.begun:
            self._at_once.set()
        self.begun = True

    def begin_at_once(self) -> None:
        """Stop without waiting."""
        self.begun = True
        self._at_once.set()

    async def wait_for(self, responses: Coroutine[None, None, None], timeout_after: float) -> None:
        """Wait until the responses under way have ended, at most `timeout_after` seconds, unless it stops at once."""
        loop = asyncio.get_running_loop()
        waiting = [loop.create_task(responses), loop.create_task(self._at_once.wait())]
        await asyncio.wait(waiting, timeout=timeout_after, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        failed = (await asyncio.gather(*waiting, return_exceptions=True))[0]
        if isinstance(failed, Exception):
            raise failed
