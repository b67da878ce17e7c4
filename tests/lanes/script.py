"""The language in which conversations are written.

A conversation has one or more clients, this proxy, and one origin. Its steps stand in the order in which they happen:
`ask` sends a request, `origin` waits until the request arrives at the origin and responds to it, `answer` checks the
response that the client receives. If there is no `origin` step between `ask` and `answer`, the origin must not receive
a request.

Field lines are sent, or must be received. `no Age` means that a field must be absent. A received field that is not
mentioned may have any value. `Name: begins...` and `Name: ...ends` give a part of a value; this works for bodies too.
All text may contain:

    {now} {now-60} {now+60}   an HTTP-date, in seconds relative to the time of the step
    {start} {start-60}        an HTTP-date, relative to the beginning of the conversation
    {authority} {origin}      the origin's "127.0.0.1:PORT", and "http://127.0.0.1:PORT"
    {instance}                the name of this proxy in Via

A response of the origin has Date and the right Content-Length, unless its lines give or exclude them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Then = Literal["", "more", "closes", "resets"]
"""The next event on the origin's connection: the next request, more of the body, or the end of the connection."""


@dataclass(frozen=True)
class Ask:
    """A client sends a request."""

    line: str
    fields: tuple[str, ...]
    body: str
    client: str


@dataclass(frozen=True)
class Answer:
    """A client receives a response."""

    status: str
    fields: tuple[str, ...]
    body: str | None
    cut: bool
    client: str
    interim: tuple[int, ...] = ()
    trailers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Origin:
    """The origin receives a request and responds."""

    status: str
    fields: tuple[str, ...]
    body: str
    saw: tuple[str, ...]
    then: Then


@dataclass(frozen=True)
class OriginBytes:
    """The origin receives a request and sends bytes, which need not be a valid response."""

    data: bytes
    then: Then


@dataclass(frozen=True)
class OriginFails:
    """The origin receives a request and sends no response."""

    how: Literal["closes", "resets", "silent"]


@dataclass(frozen=True)
class OriginContinues:
    """The origin sends more of the oldest response that it has not ended."""

    body: str
    then: Then


@dataclass(frozen=True)
class OriginGone:
    """The origin refuses connections from now on."""


@dataclass(frozen=True)
class OriginBack:
    """The origin accepts connections again."""


@dataclass(frozen=True)
class Later:
    """Time passes."""

    seconds: float


@dataclass(frozen=True)
class ClockSet:
    """The wall clock is set forward or back, and the proxy believes it after BELIEVED_AFTER seconds."""

    seconds: float


@dataclass(frozen=True)
class Disconnect:
    """A client that has received the beginning of a response closes its connection."""

    client: str


@dataclass(frozen=True)
class AllRequestsWait:
    """Every request is as far as it can get without the origin."""


@dataclass(frozen=True)
class Purge:
    """The operator purges a URL."""

    path: str
    soft: bool = False


@dataclass(frozen=True)
class Offline:
    """The operator takes the proxy offline."""


@dataclass(frozen=True)
class NoClock:
    """The proxy can tell from now on that the machine's clock is wrong."""


@dataclass(frozen=True)
class Counts:
    """A counter of the proxy rises by this number, counted from the beginning of the conversation."""

    counter: str
    by: int


Step = (
    Ask
    | Answer
    | Origin
    | OriginBytes
    | OriginFails
    | OriginContinues
    | OriginGone
    | OriginBack
    | Later
    | ClockSet
    | Disconnect
    | AllRequestsWait
    | Purge
    | Offline
    | NoClock
    | Counts
)


@dataclass(frozen=True, repr=False)
class Conversation:
    """A test: a title, the rows of the ledger that it shows, and its steps."""

    title: str
    rows: tuple[str, ...]
    steps: tuple[Step, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    """Tables as in the settings file. They replace defaults."""
    secure: bool = False
    """The URLs are https."""
    unsupported: dict[str, str] = field(default_factory=dict)
    """Lanes that cannot play it, each with the reason."""

    def __repr__(self) -> str:
        return self.title


def conversation(
    title: str,
    *parts: str | Step,
    settings: dict[str, Any] | None = None,
    secure: bool = False,
    unsupported: dict[str, str] | None = None,
) -> Conversation:
    """Return a conversation. The `parts` are the ids of rows of the ledger, then the steps."""
    rows = tuple(part for part in parts if isinstance(part, str))
    steps = tuple(part for part in parts if not isinstance(part, str))
    return Conversation(title, rows, steps, settings or {}, secure, unsupported or {})


def ask(line: str, *fields: str, body: str = "", client: str = "a client") -> Ask:
    """Send a request: `GET /path`, then its fields."""
    return Ask(line, fields, body, client)


def answer(
    status: str,
    *fields: str,
    body: str | None = None,
    cut: bool = False,
    client: str = "a client",
    interim: tuple[int, ...] = (),
    trailers: tuple[str, ...] = (),
) -> Answer:
    """Receive a response, and check it.

    Args:
        status: Status code, or status code and reason phrase.
        fields: Field lines, as in the docstring of this module.
        body: The whole body.
        cut: The connection must end before the end of the response.
        client: The client that receives the response.
        interim: Status codes of the interim responses before it, in lanes that record them.
        trailers: Trailer fields behind it, in lanes that record them.
    """
    return Answer(status, fields, body, cut, client, interim, trailers)


def origin(status: str, *fields: str, body: str = "", saw: str | tuple[str, ...] = (), then: Then = "") -> Origin:
    """Receive a request at the origin, check it, and respond.

    Args:
        status: Status code, or status code and reason phrase.
        fields: Field lines of the response.
        body: The body of the response, or its first part.
        saw: Request line and field lines that the request must have.
        then: `more` if `origin_continues` sends more of the body, `closes` or `resets` if the connection ends.
    """
    return Origin(status, fields, body, (saw,) if isinstance(saw, str) else saw, then)


def origin_bytes(data: bytes, then: Then = "closes") -> OriginBytes:
    """Receive a request at the origin, and send these bytes."""
    return OriginBytes(data, then)


def origin_closes() -> OriginFails:
    """Close the origin's connection before a head, for this request and every retry."""
    return OriginFails("closes")


def origin_resets() -> OriginFails:
    """Reset the origin's connection before a head, for this request and every retry."""
    return OriginFails("resets")


def origin_silent() -> OriginFails:
    """Send nothing from the origin until the proxy stops waiting."""
    return OriginFails("silent")


def origin_continues(body: str, then: Then = "") -> OriginContinues:
    """Send the rest of a response that had `then="more"`."""
    return OriginContinues(body, then)


def origin_gone() -> OriginGone:
    """Make the origin refuse connections from now on."""
    return OriginGone()


def origin_back() -> OriginBack:
    """Make the origin accept connections again."""
    return OriginBack()


def later(seconds: float) -> Later:
    """Let time pass."""
    return Later(seconds)


def clock_set(seconds: float) -> ClockSet:
    """Set the wall clock forward, or back if `seconds` is negative, and let five seconds pass until it is believed."""
    return ClockSet(seconds)


def disconnect(client: str = "a client") -> Disconnect:
    """Close a client's connection before the end of the response."""
    return Disconnect(client)


def all_requests_wait() -> AllRequestsWait:
    """Wait until every request is as far as it can get without the origin."""
    return AllRequestsWait()


def purge(path: str, *, soft: bool = False) -> Purge:
    """Purge a URL of the origin."""
    return Purge(path, soft)


def offline() -> Offline:
    """Take the proxy offline for the rest of the conversation."""
    return Offline()


def no_clock() -> NoClock:
    """Make the machine's clock wrong, as far as the proxy can tell, for the rest of the conversation."""
    return NoClock()


def counts(counter: str, by: int = 1) -> Counts:
    """Wait until a counter has risen by exactly this number. The engine lane skips counters that it does not have."""
    return Counts(counter, by)
