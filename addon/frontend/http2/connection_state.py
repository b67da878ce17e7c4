"""The states of an HTTP/2 client connection, and every legal move between them."""

from __future__ import annotations

from enum import IntEnum, auto


class State(IntEnum):
    """The state of a connection. Exactly one holds at a time."""

    GREETING = auto()
    """The client's preface and its settings have not arrived (RFC 9113 §3.4)."""
    OPEN = auto()
    """Requests are answered."""
    FINISHING = auto()
    """GOAWAY was sent or received: no new requests; the connection ends with the last stream (RFC 9113 §6.8)."""
    CLOSED = auto()
    """This side has closed; input is dropped."""


class Event(IntEnum):
    """An event that moves a connection to another state."""

    GREETED = auto()
    """The client's settings have arrived."""
    LAST = auto()
    """No request may follow: the proxy stops, or one side has said so."""
    CLOSE = auto()
    """The last stream has ended, a fault ends the connection, or it is lost."""


MOVES: dict[State, dict[Event, State]] = {
    State.GREETING: {Event.GREETED: State.OPEN, Event.LAST: State.FINISHING, Event.CLOSE: State.CLOSED},
    State.OPEN: {Event.LAST: State.FINISHING, Event.CLOSE: State.CLOSED},
    State.FINISHING: {Event.GREETED: State.FINISHING, Event.LAST: State.FINISHING, Event.CLOSE: State.CLOSED},
    State.CLOSED: dict.fromkeys(Event, State.CLOSED),
}
"""The state that follows each event. An event that is not listed is impossible in that state: KeyError."""
