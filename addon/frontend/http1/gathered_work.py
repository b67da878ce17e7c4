"""Work for several requests that is gathered, and done together once the event loop has read what has arrived.

Sending ten requests, then storing ten responses, takes much less time than one of each in turn: the processor has the
code and the data of what it did last in its caches.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Gathered:
    """Calls of one kind, in order. An error in one is logged, and does not keep the others from being made."""

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        self._calls: list[tuple[Callable[[], None], Callable[[], None]]] = []

    def add(self, call: Callable[[], None], failed: Callable[[], None]) -> None:
        """Make a call soon: before the event loop waits for anything again. If it raises an error, call `failed`."""
        self._calls.append((call, failed))
        if len(self._calls) == 1:
            asyncio.get_running_loop().call_soon(self._make_calls)

    def _make_calls(self) -> None:
        calls, self._calls = self._calls, []
        for call, failed in calls:
            try:
                call()
            except Exception:  # also a fault of ours: the calls behind it are those of other clients' requests
                logger.exception("a request failed")
                asyncio.get_running_loop().call_soon(failed)  # an error in this would not end the other requests


class GatheredWork:
    """The work of direct fetches.

    Attributes:
        sending: Requests that are sent to origins.
        responding: Responses that have arrived, and are stored if they may be.
        answering: Responses that are sent to clients.
    """

    __slots__ = ("answering", "responding", "sending")

    def __init__(self) -> None:
        self.sending, self.responding, self.answering = Gathered(), Gathered(), Gathered()
