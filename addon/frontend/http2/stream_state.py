"""The states of a stream between its first and its last frame (RFC 9113 §5.1), and every legal move between them."""

from __future__ import annotations

from enum import IntEnum, auto


class State(IntEnum):
    """The state of a stream. An idle stream has none, since nothing is known of it."""

    OPEN = auto()
    """The client sends content, and the response is not complete."""
    HALF_CLOSED_REMOTE = auto()
    """The request is complete, the response is not."""
    HALF_CLOSED_LOCAL = auto()
    """The response is complete, the request is not."""
    CLOSED = auto()
    """Both are complete, or the stream was reset."""


class Event(IntEnum):
    """An event that moves a stream to another state."""

    REQUEST_ENDED = auto()
    """The client has set END_STREAM."""
    RESPONSE_ENDED = auto()
    """This side has set END_STREAM."""
    RESET = auto()
    """Either side has sent RST_STREAM, or the connection is lost."""


MOVES: dict[State, dict[Event, State]] = {
    State.OPEN: {
        Event.REQUEST_ENDED: State.HALF_CLOSED_REMOTE,
        Event.RESPONSE_ENDED: State.HALF_CLOSED_LOCAL,
        Event.RESET: State.CLOSED,
    },
    State.HALF_CLOSED_REMOTE: {
        Event.RESPONSE_ENDED: State.CLOSED,
        Event.RESET: State.CLOSED,
    },
    State.HALF_CLOSED_LOCAL: {
        Event.REQUEST_ENDED: State.CLOSED,
        Event.RESET: State.CLOSED,
    },
    State.CLOSED: {
        Event.RESET: State.CLOSED,
    },
}
"""The state that follows each event. An event that is not listed is impossible in that state: KeyError."""

REQUEST_COMPLETE = frozenset({State.HALF_CLOSED_REMOTE, State.CLOSED})
"""The client may send nothing more on the stream."""

RESPONSE_COMPLETE = frozenset({State.HALF_CLOSED_LOCAL, State.CLOSED})
"""This side may send nothing more on the stream."""
