"""Rules that an operator sets for some hosts, paths, clients or kinds of response; plain data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import translate
from ipaddress import IPv4Network, IPv6Network


class AnswerStatus(StrEnum):
    """What a copy of a 200 goes out as."""

    AUTO = "auto"
    """203, but 200 for clients and request kinds measured to break on it."""
    ALWAYS = "always"
    """203 without exception."""
    ORIGIN = "origin"
    """The stored status."""


class SetCookie(StrEnum):
    """What happens to a response that sets cookies."""

    STORE = "store"
    """Stored and replayed, if its freshness is explicit."""
    STRIP = "strip"
    """Stored without its Set-Cookie lines."""
    BYPASS = "bypass"
    """Not stored."""


class ClientReload(StrEnum):
    """Whether a client's `no-cache` or `max-age=0` drives a request to the origin."""

    HONOUR = "honour"
    IGNORE_WHEN_FRESH = "ignore-when-fresh"


class Mode(StrEnum):
    """Whether origins are asked."""

    ONLINE = "online"
    """Whenever the rules of caching want it."""
    AUTO = "auto"
    """As online; but an origin that cannot be reached is not asked again until it can be."""
    OFFLINE = "offline"
    """Never."""
    REPLAY = "replay"
    """Never: a recording alone answers. Holds for every host where a policy's `replay` names one."""


def glob(pattern: str) -> re.Pattern[str]:
    """Return a compiled shell-style pattern (`*`, `?`, `[...]`) that matches without regard to case."""
    return re.compile(translate(pattern), re.IGNORECASE)


ANYTHING = glob("*")


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """Which `answer.status` holds for some exchanges; the first match wins."""

    status: AnswerStatus
    host: re.Pattern[str] = ANYTHING
    path: re.Pattern[str] = ANYTHING
    user_agent: re.Pattern[str] = re.compile("")
    """Searched in the User-Agent field; an absent field is the empty string."""


@dataclass(frozen=True, slots=True, eq=False)  # so that many of them are quickly hashed
class ClientRule:
    """A client or kind of request measured to break on a 203. Every condition given must hold."""

    name: str
    """The token that Cache-Status `detail` carries."""
    user_agent: re.Pattern[str] | None = None
    """Searched in the User-Agent field."""
    method: str | None = None
    path: re.Pattern[str] | None = None
    accept: re.Pattern[str] | None = None
    """Searched in the Accept field."""
    fetch_dest: frozenset[str] = frozenset()
    """Values of Sec-Fetch-Dest."""
    content_type: re.Pattern[str] | None = None
    """Searched in the stored response's Content-Type."""


@dataclass(frozen=True, slots=True)
class AnnotationRule:
    """Local metainformation for some answers. Values are templates (`{stored_at}`, `{origin}`, ...)."""

    host: re.Pattern[str] = ANYTHING
    path: re.Pattern[str] = ANYTHING
    content_type: re.Pattern[str] = ANYTHING
    """Matched against the media type without its parameters."""
    set: tuple[tuple[str, str], ...] = ()
    append: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LifetimeRule:
    """How long a kind of 200 is fresh where its origin says nothing at all about that (RFC 9111 §4.2.2)."""

    seconds: int
    host: re.Pattern[str] = ANYTHING
    paths: tuple[re.Pattern[str], ...] = (ANYTHING,)
    content_types: tuple[re.Pattern[str], ...] = (ANYTHING,)
    """Matched against the media type without its parameters."""


@dataclass(frozen=True, slots=True)
class HostRule:
    """What holds for some hosts in place of what holds for all; None leaves that alone. The first match wins."""

    host: re.Pattern[str]
    groups: bool | None = None
    client_reload: ClientReload | None = None


@dataclass(frozen=True, slots=True)
class Targets:
    """Places that requests go to, by address and by name."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    hosts: tuple[re.Pattern[str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """Where strangers may have this proxy go (RFC 9110 §17.2)."""

    refused: Targets = Targets()
    allowed: Targets = Targets()
    """Not refused, whatever `refused` says."""
    connect_ports: frozenset[int] = frozenset({443})
    """Where a tunnel may end."""


@dataclass(frozen=True, slots=True)
class QueryRule:
    """Parameters of a query that say nothing about what is asked for, like the signature of a signed URL."""

    host: re.Pattern[str]
    path: re.Pattern[str]
    drop: tuple[re.Pattern[str], ...]
    """Names of parameters."""


@dataclass(frozen=True, slots=True)
class PostRule:
    """Requests by POST that only read: the digest of their content is part of the key."""

    host: re.Pattern[str]
    path: re.Pattern[str]
    content_type: re.Pattern[str]
    """Matched against the media type of the request's content, without its parameters."""
