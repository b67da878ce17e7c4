"""Rules that the operator sets for some hosts, paths, clients or kinds of responses. Plain data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import translate
from ipaddress import IPv4Network, IPv6Network


class AnswerStatus(StrEnum):
    """The status of a response from a copy of a 200."""

    AUTO = "auto"
    """203, but 200 for clients and kinds of requests that do not work with a 203."""
    ALWAYS = "always"
    """Always 203."""
    ORIGIN = "origin"
    """The stored status, 200."""


class SetCookie(StrEnum):
    """The storing of responses that set cookies."""

    AUTO = "auto"
    """Stored without its Set-Cookie fields if it has `public` or `s-maxage`, else not stored."""
    STORE = "store"
    """Stored with its Set-Cookie fields, if it has an explicit lifetime."""
    STRIP = "strip"
    """Stored without its Set-Cookie fields."""
    BYPASS = "bypass"
    """Not stored."""


class ClientReload(StrEnum):
    """The effect of `no-cache` or `max-age=0` in a client's request."""

    HONOUR = "honour"
    """The copy is validated."""
    IGNORE_WHEN_FRESH = "ignore-when-fresh"
    """A fresh copy is used without validation."""


class Mode(StrEnum):
    """The use of origins."""

    ONLINE = "online"
    """Whenever the rules of caching require it."""
    AUTO = "auto"
    """As online, but an origin that cannot be reached is not asked until it can be reached again."""
    OFFLINE = "offline"
    """Never."""
    REPLAY = "replay"
    """Never: only a recording answers. Applies to all hosts while a recording is replayed."""


def glob(pattern: str) -> re.Pattern[str]:
    """Return a compiled shell-style pattern (`*`, `?`, `[...]`) that matches without regard to case."""
    return re.compile(translate(pattern), re.IGNORECASE)


ANYTHING = glob("*")


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """The status of copies for some hosts, paths and clients; the first matching rule applies."""

    status: AnswerStatus
    host: re.Pattern[str] = ANYTHING
    path: re.Pattern[str] = ANYTHING
    user_agent: re.Pattern[str] = re.compile("")
    """Searched in the User-Agent field; an absent field is the empty string."""


@dataclass(frozen=True, slots=True, eq=False)  # hashed by identity, which is fast
class ClientRule:
    """A client or kind of request that does not work with a 203. All given conditions must hold."""

    name: str
    """A token for Cache-Status `detail`."""
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
    """Fields that are set, appended or removed in some responses. Values are templates like `{stored_at}`."""

    host: re.Pattern[str] = ANYTHING
    path: re.Pattern[str] = ANYTHING
    content_type: re.Pattern[str] = ANYTHING
    """Matched against the media type without its parameters."""
    set: tuple[tuple[str, str], ...] = ()
    append: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LifetimeRule:
    """The lifetime of some 200 responses without an explicit one (RFC 9111 §4.2.2)."""

    seconds: int
    host: re.Pattern[str] = ANYTHING
    paths: tuple[re.Pattern[str], ...] = (ANYTHING,)
    content_types: tuple[re.Pattern[str], ...] = (ANYTHING,)
    """Matched against the media type without its parameters."""


@dataclass(frozen=True, slots=True)
class HostRule:
    """Settings for some hosts, in place of the general ones.

    None leaves the general setting. For each setting, the first matching rule that has it applies.
    """

    host: re.Pattern[str]
    groups: bool | None = None
    client_reload: ClientReload | None = None


@dataclass(frozen=True, slots=True)
class Targets:
    """Hosts, by address and by name."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    hosts: tuple[re.Pattern[str], ...] = ()


@dataclass(frozen=True, slots=True)
class TargetRules:
    """The targets that clients may reach through this proxy (RFC 9110 §17.2)."""

    refused: Targets = Targets()
    allowed: Targets = Targets()
    """Exceptions from `refused`."""
    connect_ports: frozenset[int] = frozenset({443})
    """Ports that CONNECT may name."""


@dataclass(frozen=True, slots=True)
class QueryRule:
    """Parameters of a query that are not a part of the key, like the signature of a signed URL."""

    host: re.Pattern[str]
    path: re.Pattern[str]
    drop: tuple[re.Pattern[str], ...]
    """Names of parameters."""


@dataclass(frozen=True, slots=True)
class PostRule:
    """POST requests that only read. The digest of their content is a part of the key."""

    host: re.Pattern[str]
    path: re.Pattern[str]
    content_type: re.Pattern[str]
    """Matched against the media type of the request's content, without its parameters."""
