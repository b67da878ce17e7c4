"""The breaker of one server: while it is open, nobody waits for the server.

It opens when a reply is late or the connection ends. It closes when the server has answered in time again and owes no
reply; after a new connection, not before all that was held in memory is marked for another look.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """The states of a server."""

    UP = "up"
    """It is used."""
    SLOW = "slow"
    """A reply was late. The connection is kept: what the server says of changes still arrives."""
    DOWN = "down"
    """There is no connection, so changes are not heard of."""


@dataclass(slots=True)
class Interruptions:
    """Counts how the servers of an engine were interrupted, those included that it had before."""

    slow: int = 0
    """A reply was late."""
    lost: int = 0
    """A connection ended."""


class Breaker:
    """The state of a server. Read from any thread, changed on one."""

    def __init__(self, interruptions: Interruptions) -> None:
        """Count in `interruptions` how often the server was left."""
        self.state = State.DOWN
        self.reason = "it was not reached yet"
        self._interruptions = interruptions

    @property
    def is_closed(self) -> bool:
        """True if the server may be used."""
        return self.state is State.UP

    def reply_is_late(self, reason: str) -> bool:
        """Return whether this opens the breaker."""
        if self.state is not State.UP:
            return False
        self.state, self.reason = State.SLOW, reason
        self._interruptions.slow += 1
        return True

    def answered_in_time(self, *, owes_replies: bool) -> bool:
        """Return whether this closes the breaker, which only a new connection can do if the old one has ended."""
        if self.state is not State.SLOW or owes_replies:
            return False
        self.state, self.reason = State.UP, ""
        return True

    def lost(self, reason: str) -> bool:
        """Return whether the server was in use until now, though perhaps slow."""
        was_connected = self.state is not State.DOWN
        self.state, self.reason = State.DOWN, reason
        self._interruptions.lost += was_connected
        return was_connected

    def ready(self) -> None:
        """Close the breaker: the server is connected, and what it has missed is made good."""
        self.state, self.reason = State.UP, ""
