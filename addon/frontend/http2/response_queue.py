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

START, MOST = 8, 128
"""Responses that a new connection may begin at once, and any connection."""

INTERVAL = 0.05
"""Seconds after which START responses may be begun, whether others are complete or not."""

Answering = Callable[[], Coroutine[None, None, bool]]
"""Runs the handler for one stream."""


class ResponseQueue:
    """The streams for which the handler does not run yet."""

    def __init__(
        self,
        on_ready: Callable[[], None],
        on_incomplete: Callable[[Stream], None],
        abandon: Callable[[asyncio.Task[object]], None],
        has_unread: Callable[[], bool],
    ) -> None:
        """Start with no streams.

        Args:
            on_ready: Called when waiting responses may be begun after all.
            on_incomplete: Called if a response has ended, and its stream has not.
            abandon: Called with the task of a response whose stream was reset, and which other requests may use.
            has_unread: Returns whether too much content waits that the client does not read.
        """
        self._on_ready = on_ready
        self._on_incomplete = on_incomplete
        self._abandon = abandon
        self._has_unread = has_unread
        self._allowed = START
        """Responses that may be begun before others are complete, or time has passed."""
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: deque[tuple[Stream, Answering, bool]] = deque()

    def __len__(self) -> int:
        """Return how many streams wait."""
        return len(self._waiting)

    def add(self, stream: Stream, answering: Answering, *, shareable: bool = False) -> None:
        """Begin a response in this turn or a later one; `shareable` if other requests may use what it fetches."""
        # CVE-2023-44487: a request that is reset at once must cost nothing
        self._waiting.append((stream, answering, shareable))

    @property
    def is_ready(self) -> bool:
        """Return whether responses wait, and may be begun.

        A client that asks for much and reads nothing must not fill the memory. So a connection begins with a few
        responses, and may have more under way for each one that the client has read (as TCP starts slowly).
        """
        return bool(self._waiting) and self._allowed > 0 and not self._has_unread()

    def begin_some(self) -> None:
        """Begin as many responses as one turn allows."""
        begun = 0
        while begun < RESPONSES_PER_TURN and self.is_ready:
            stream, answering, shareable = self._waiting.popleft()
            if stream.state is not State.CLOSED:
                begun += 1
                self._allowed -= 1
                self.begin(stream, answering, shareable=shareable)
        if self._waiting and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._allow_more)

    def _allow_more(self) -> None:
        """Allow a few more responses: the origin is slow, or the client reads slowly."""
        self._timer = None
        self._waiting = deque([each for each in self._waiting if each[0].state is not State.CLOSED])
        self._allowed = max(self._allowed, START)
        if self.is_ready:
            self._on_ready()
        elif self._waiting:
            self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._allow_more)

    def close(self) -> None:
        """Begin no further responses."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()

    def begin(self, stream: Stream, answering: Answering, *, shareable: bool = False) -> None:
        """Begin a response now."""
        stream.response = ResponseTask(shareable=shareable, abandon=self._abandon)
        stream.response.start(answering()).add_done_callback(partial(self._done, stream))

    def _done(self, stream: Stream, task: asyncio.Task[bool]) -> None:
        if not task.cancelled() and (error := task.exception()):
            logger.error("a response failed", exc_info=error)
        elif not task.cancelled() and task.result():
            self._allowed = min(self._allowed + 2, MOST)
            if self.is_ready:
                self._on_ready()
        if stream.state is not State.CLOSED:
            self._on_incomplete(stream)
