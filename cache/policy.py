"""What the operator decided. Frozen, handed to every rule, never read from a global."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import translate


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


@dataclass(frozen=True, slots=True)
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
class CachePolicy:
    """Everything an operator can decide about caching. Times are seconds."""

    name: str = "secondhand"
    """How this cache calls itself in Via and Cache-Status."""
    instance: str = ""
    """Told apart from other instances of the same name; added to Via so that loops are seen."""
    answer: AnswerStatus = AnswerStatus.AUTO
    answer_rules: tuple[AnswerRule, ...] = ()
    clients: tuple[ClientRule, ...] = ()
    annotations: tuple[AnnotationRule, ...] = ()
    cache_status: bool = True
    memento: bool = False
    """Say `Memento-Datetime` and `Link: rel=original` on every answer from a copy."""
    captures: int = 1
    """How many states of one response are kept; with more than one, Accept-Datetime chooses among them."""
    earliest: float = 0.0
    """A clock that is before this, in seconds since the epoch, is not to be trusted."""
    offline: bool = False
    """Never go forward."""
    record: str = ""
    """The recording that every answer goes into: always go forward, keep whatever comes."""
    replay: str = ""
    """The recording that alone answers, whatever the age of what it holds; goes with `offline`."""
    lifetimes: tuple[LifetimeRule, ...] = ()
    heuristic_max: int = 86_400
    heuristic_query: bool = True
    conservative_age: bool = True
    max_stale_disconnected: int = 86_400
    stale_on_5xx: bool = False
    s_maxage_allows_stale: bool = False
    set_cookie: SetCookie = SetCookie.STORE
    bypass_cookies: frozenset[str] = frozenset()
    client_reload: ClientReload = ClientReload.HONOUR
    targeted_fields: tuple[str, ...] = ()
    """Lower-case names of the targeted fields that apply to this cache, most specific first (RFC 9213 §2.2)."""
    groups: bool = True
    """Heed Cache-Groups; off where strangers share an origin and could invalidate each other (RFC 9875 §5)."""
    strict_host: bool = False
    vary_language_order: bool = True
    credential_key: bytes = b""
    """Keys the hashes that stand for credentials among Vary values, so that none is written to disk."""
