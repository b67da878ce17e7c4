"""The line of HTTP/2 connections that have more to do than fits into one turn of theirs.

One of them goes on in each round of the event loop, however many wait, so everybody else is served after one turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol


class TurnTaker(Protocol):
    """A connection, as far as the line needs it."""

    def take_turn_in_line(self) -> None:
        """Go on."""


class Turns:
    """The connections that wait, in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: deque[TurnTaker] = deque()
        self._next: asyncio.Handle | None = None

    def __contains__(self, connection: TurnTaker) -> bool:
        """Return whether a connection waits."""
        return connection in self._waiting

    def wait(self, connection: TurnTaker) -> None:
        """Let a connection, which does not wait yet, go on when its turn has come."""
        self._waiting.append(connection)
        self._schedule()

    def leave(self, connection: TurnTaker) -> None:
        """Forget a connection that waits."""
        self._waiting.remove(connection)

    def _schedule(self) -> None:
        if self._next is None and self._waiting:
            self._next = asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        self._next = None
        if self._waiting:
            self._waiting.popleft().take_turn_in_line()
            self._schedule()
