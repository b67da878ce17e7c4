"""The words that conversations are written in.

A conversation is a play for one or more clients, this proxy, and one origin. Its lines are in the order in which
they happen: `ask` sends a request, `origin` waits for the request to arrive there and answers it, `answer` says what
the client then hears. No `origin` line between `ask` and `answer` means that the origin must not be asked.

Field lines are what is sent, or what must be heard; `no Age` says that a field must be absent, and fields that
are not mentioned may be anything. `Name: begins...` and `Name: ...ends` say part of a value; bodies likewise. In
all text:

    {now} {now-60} {now+60}   an HTTP-date, in seconds relative to the moment of the line
    {start} {start-60}        an HTTP-date, relative to the beginning of the conversation
    {authority} {origin}      the origin's "127.0.0.1:PORT", and "http://127.0.0.1:PORT"
    {instance}                what tells this proxy apart from others in Via

An origin says Date, and the right Content-Length, unless its lines say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Then = Literal["", "more", "closes", "resets"]


@dataclass(frozen=True)
class Ask:
    """A client sends a request."""

    line: str
    fields: tuple[str, ...]
    body: str
    client: str


@dataclass(frozen=True)
class Answer:
    """A client hears a response."""

    status: str
    fields: tuple[str, ...]
    body: str | None
    cut: bool
    client: str
    interim: tuple[int, ...] = ()
    trailers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Origin:
    """The origin is asked, and answers."""

    status: str
    fields: tuple[str, ...]
    body: str
    saw: tuple[str, ...]
    then: Then


@dataclass(frozen=True)
class OriginOctets:
    """The origin is asked, and sends octets that may be no response at all."""

    octets: bytes
    then: Then


@dataclass(frozen=True)
class OriginFails:
    """The origin is asked, and no head comes back."""

    how: Literal["closes", "resets", "silent"]


@dataclass(frozen=True)
class OriginGoesOn:
    """The origin sends more of the body that it began first and has not ended."""

    body: str
    then: Then


@dataclass(frozen=True)
class OriginGone:
    """From now on nobody listens where the origin was."""


@dataclass(frozen=True)
class OriginBack:
    """The origin listens again."""


@dataclass(frozen=True)
class Later:
    """Time passes."""

    seconds: float


@dataclass(frozen=True)
class ClockSetBack:
    """Somebody sets the wall clock back; no time passes."""

    seconds: float


@dataclass(frozen=True)
class Leave:
    """A client that has begun to hear an answer closes its connection."""

    client: str


@dataclass(frozen=True)
class Waits:
    """Every request has got as far as it can without the origin."""


@dataclass(frozen=True)
class Purge:
    """The operator purges a URL."""

    path: str


@dataclass(frozen=True)
class Offline:
    """The operator takes the proxy offline."""


@dataclass(frozen=True)
class NoClock:
    """From now on the machine's clock is one that cannot be right."""


@dataclass(frozen=True)
class Counts:
    """One of the proxy's counters has risen by that much since the conversation began, or does so now."""

    counter: str
    by: int


Step = (
    Ask
    | Answer
    | Origin
    | OriginOctets
    | OriginFails
    | OriginGoesOn
    | OriginGone
    | OriginBack
    | Later
    | ClockSetBack
    | Leave
    | Waits
    | Purge
    | Offline
    | NoClock
    | Counts
)


@dataclass(frozen=True, repr=False)
class Conversation:
    """A title, the ledger's rows that it shows, and what happens."""

    title: str
    rows: tuple[str, ...]
    steps: tuple[Step, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    """Tables as in the settings file, beside the defaults."""
    secure: bool = False
    """The URLs are https."""
    unseen: dict[str, str] = field(default_factory=dict)
    """Lanes that cannot show it, and why."""

    def __repr__(self) -> str:
        return self.title


def conversation(
    title: str,
    *parts: str | Step,
    settings: dict[str, Any] | None = None,
    secure: bool = False,
    unseen: dict[str, str] | None = None,
) -> Conversation:
    """A title, then the ids of ledger rows, then the lines."""
    rows = tuple(part for part in parts if isinstance(part, str))
    steps = tuple(part for part in parts if not isinstance(part, str))
    return Conversation(title, rows, steps, settings or {}, secure, unseen or {})


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
    """Hear a response: a code or a code and its phrase, then fields; `cut` if it must not come to a clean end.

    `interim` codes come before it and `trailers` behind it, in the lanes that have a place for them.
    """
    return Answer(status, fields, body, cut, client, interim, trailers)


def origin(status: str, *fields: str, body: str = "", saw: str | tuple[str, ...] = (), then: Then = "") -> Origin:
    """Answer at the origin, which `saw` a request line or fields; `then` more comes, or the connection ends."""
    return Origin(status, fields, body, (saw,) if isinstance(saw, str) else saw, then)


def origin_octets(octets: bytes, then: Then = "closes") -> OriginOctets:
    """Answer at the origin, octet for octet."""
    return OriginOctets(octets, then)


def origin_closes() -> OriginFails:
    """End the connection before a head, as often as it is tried."""
    return OriginFails("closes")


def origin_resets() -> OriginFails:
    """Reset the connection before a head, as often as it is tried."""
    return OriginFails("resets")


def origin_silent() -> OriginFails:
    """Say nothing until the proxy gives up."""
    return OriginFails("silent")


def origin_goes_on(body: str, then: Then = "") -> OriginGoesOn:
    """Send the rest of an answer that said `then="more"`."""
    return OriginGoesOn(body, then)


def origin_gone() -> OriginGone:
    """Refuse connections from now on."""
    return OriginGone()


def origin_back() -> OriginBack:
    """Accept connections again."""
    return OriginBack()


def later(seconds: float) -> Later:
    """Let time pass."""
    return Later(seconds)


def clock_set_back(seconds: float) -> ClockSetBack:
    """Set the wall clock back."""
    return ClockSetBack(seconds)


def leave(client: str = "a client") -> Leave:
    """Close a client's connection without having heard the answer to its end."""
    return Leave(client)


def everyone_waits() -> Waits:
    """Let every request get as far as it can without the origin."""
    return Waits()


def purge(path: str) -> Purge:
    """Purge a URL of the origin."""
    return Purge(path)


def offline() -> Offline:
    """Take the proxy offline, for the rest of the conversation."""
    return Offline()


def no_clock() -> NoClock:
    """Let the machine's clock be one that cannot be right, for the rest of the conversation."""
    return NoClock()


def counts(counter: str, by: int = 1) -> Counts:
    """Wait until a counter has risen by exactly that much; counters are not the engine's, which skips this."""
    return Counts(counter, by)
