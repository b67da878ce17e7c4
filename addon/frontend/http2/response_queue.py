"""Begins the responses of one HTTP/2 connection: a few in each turn, and none whose request was cancelled before."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial

from addon.frontend.http1.response_task import ResponseTask
from addon.frontend.http2.limits import RESPONSES_PER_TURN
from addon.frontend.http2.stream import Stream
from addon.frontend.http2.stream_state import State

logger = logging.getLogger(__name__)

Answering = Callable[[], Coroutine[None, None, bool]]
"""Runs the handler for one stream."""


class ResponseQueue:
    """The streams for which the handler does not run yet."""

    def __init__(
        self, on_incomplete: Callable[[Stream], None], abandon: Callable[[asyncio.Task[object]], None]
    ) -> None:
        """Start with no streams.

        Args:
            on_incomplete: Called if a response has ended, and its stream has not.
            abandon: Called with the task of a response whose stream was reset, and which other requests may use.
        """
        self._on_incomplete = on_incomplete
        self._abandon = abandon
        self._waiting: deque[tuple[Stream, Answering, bool]] = deque()

    def __len__(self) -> int:
        """Return how many streams wait."""
        return len(self._waiting)

    def add(self, stream: Stream, answering: Answering, *, shareable: bool = False) -> None:
        """Begin a response in this turn or a later one; `shareable` if other requests may use what it fetches."""
        # CVE-2023-44487: a request that is reset at once must cost nothing
        self._waiting.append((stream, answering, shareable))

    def begin_some(self) -> None:
        """Begin as many responses as one turn allows."""
        begun = 0
        while self._waiting and begun < RESPONSES_PER_TURN:
            stream, answering, shareable = self._waiting.popleft()
            if stream.state is not State.CLOSED:
                begun += 1
                self.begin(stream, answering, shareable=shareable)

    def begin(self, stream: Stream, answering: Answering, *, shareable: bool = False) -> None:
        """Begin a response now."""
        stream.response = ResponseTask(shareable=shareable, abandon=self._abandon)
        stream.response.start(answering()).add_done_callback(partial(self._done, stream))

    def _done(self, stream: Stream, task: asyncio.Task[bool]) -> None:
        if not task.cancelled() and (error := task.exception()):
            logger.error("a response failed", exc_info=error)
        if stream.state is not State.CLOSED:
            self._on_incomplete(stream)
