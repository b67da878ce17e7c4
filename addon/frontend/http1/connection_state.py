"""The states of an HTTP/1 client connection, and every legal move between them.

They are integers because those are hashed fastest; their values mean nothing.
"""

from __future__ import annotations

from enum import IntEnum, auto


class State(IntEnum):
    """The state of a connection. Exactly one holds at a time."""

    READY = auto()
    """Between requests, nothing of the next one has arrived: a hot response may be sent at once."""
    READING = auto()
    """A part of a request head has arrived."""
    BLOCKED = auto()
    """Between requests; the client does not read the last response."""
    RESPONDING = auto()
    """A response is being made or sent; other requests may follow it."""
    RESPONDING_BLOCKED = auto()
    """As RESPONDING; the client does not read."""
    FINISHING = auto()
    """The last response is being made or sent; further input is dropped."""
    FINISHING_BLOCKED = auto()
    """As FINISHING; the client does not read."""
    FLUSHING = auto()
    """The last response is written, but the client has not read it."""
    CLOSING = auto()
    """This side has closed, or drops input so that the client can read the last response (RFC 9112 §9.6)."""
    RELEASED = auto()
    """The transport is lost, or belongs to another protocol."""


class Event(IntEnum):
    """An event that moves a connection to another state."""

    INPUT_LEFT = auto()
    """A part of a request head is left after all complete requests were answered."""
    INPUT_DONE = auto()
    """No input is left after all complete requests were answered."""
    REQUEST = auto()
    """A request is being answered that could not be answered at once."""
    RESPONSE_SENT = auto()
    """The response under way is written."""
    LAST = auto()
    """No request may follow: an error, `Connection: close`, or the proxy stops."""
    BLOCK = auto()
    """The client does not read what is written."""
    UNBLOCK = auto()
    """The client reads again."""
    RELEASE = auto()
    """The transport is given away or lost."""


MOVES: dict[State, dict[Event, State]] = {
    State.READY: {
        Event.INPUT_LEFT: State.READING,
        Event.INPUT_DONE: State.READY,
        Event.REQUEST: State.RESPONDING,
        Event.LAST: State.CLOSING,
        Event.BLOCK: State.BLOCKED,
        Event.UNBLOCK: State.READY,  # the client was blocked before this connection began
        Event.RELEASE: State.RELEASED,
    },
    State.READING: {
        Event.INPUT_LEFT: State.READING,
        Event.INPUT_DONE: State.READY,
        Event.REQUEST: State.RESPONDING,
        Event.LAST: State.CLOSING,
        Event.BLOCK: State.BLOCKED,
        Event.UNBLOCK: State.READING,  # the client was blocked before this connection began
        Event.RELEASE: State.RELEASED,
    },
    State.BLOCKED: {
        Event.LAST: State.FLUSHING,
        Event.UNBLOCK: State.READY,
        Event.RELEASE: State.RELEASED,
    },
    State.RESPONDING: {
        Event.RESPONSE_SENT: State.READY,
        Event.LAST: State.FINISHING,
        Event.BLOCK: State.RESPONDING_BLOCKED,
        Event.UNBLOCK: State.RESPONDING,  # the client was blocked before this connection began
        Event.RELEASE: State.RELEASED,
    },
    State.RESPONDING_BLOCKED: {
        Event.RESPONSE_SENT: State.BLOCKED,
        Event.LAST: State.FINISHING_BLOCKED,
        Event.UNBLOCK: State.RESPONDING,
        Event.RELEASE: State.RELEASED,
    },
    State.FINISHING: {
        Event.RESPONSE_SENT: State.CLOSING,
        Event.LAST: State.FINISHING,
        Event.BLOCK: State.FINISHING_BLOCKED,
        Event.UNBLOCK: State.FINISHING,  # the client was blocked before this connection began
        Event.RELEASE: State.RELEASED,
    },
    State.FINISHING_BLOCKED: {
        Event.RESPONSE_SENT: State.FLUSHING,
        Event.LAST: State.FINISHING_BLOCKED,
        Event.UNBLOCK: State.FINISHING,
        Event.RELEASE: State.RELEASED,
    },
    State.FLUSHING: {
        Event.LAST: State.FLUSHING,
        Event.UNBLOCK: State.CLOSING,
        Event.RELEASE: State.RELEASED,
    },
    State.CLOSING: {
        Event.LAST: State.CLOSING,
        Event.BLOCK: State.CLOSING,
        Event.UNBLOCK: State.CLOSING,
        Event.RELEASE: State.RELEASED,
    },
    State.RELEASED: dict.fromkeys(Event, State.RELEASED),
}
"""The state that follows each event. An event that is not listed is impossible in that state: KeyError."""

BETWEEN_REQUESTS = frozenset({State.READY, State.READING})
"""The next request may be answered."""

UNDER_WAY = frozenset({State.RESPONDING, State.RESPONDING_BLOCKED, State.FINISHING, State.FINISHING_BLOCKED})
"""A response is being made or sent."""

NOT_READ = frozenset({State.BLOCKED, State.RESPONDING_BLOCKED, State.FINISHING_BLOCKED, State.FLUSHING})
"""The client does not read what is written."""

NO_MORE_REQUESTS = frozenset({State.FINISHING, State.FINISHING_BLOCKED, State.FLUSHING, State.CLOSING, State.RELEASED})
"""Further input is dropped."""
