"""What the operator decided. Frozen, handed to every rule, never read from a global."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import translate
from ipaddress import IPv4Network, IPv6Network

from cache.policy.private_cache import NOTHING_MORE, Keeping, PostRule, QueryRule


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
class CachePolicy:
    """Everything an operator can decide about caching. Times are seconds."""

    name: str = "secondhand"
    """How this cache calls itself in Via and Cache-Status."""
    instance: str = ""
    """Told apart from other instances of the same name; added to Via so that loops are seen."""
    gateway: bool = False
    """This cache speaks for an origin to clients that know of no proxy: an edge."""
    own_authorities: frozenset[str] = frozenset()
    """Where a forward proxy itself listens, as lower-case `host:port`: a request for that is a loop."""
    reach: Reach | None = None
    """What is refused to strangers; None where only this machine can reach the proxy."""
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
    scope: str = ""
    """Whose responses these are, as the name of a profile; empty for those that everybody may share."""
    keeping: Keeping = NOTHING_MORE
    secrets: frozenset[str] = frozenset()
    """Lower-case names of fields and of members of JSON whose values are not written down."""
    query_rules: tuple[QueryRule, ...] = ()
    post_rules: tuple[PostRule, ...] = ()
    mode: Mode = Mode.AUTO
    host_modes: tuple[tuple[re.Pattern[str], Mode], ...] = ()
    """What holds in place of `mode` for some hosts; the first match wins."""
    unreachable: frozenset[str] = frozenset()
    """Lower-case names of the hosts that cannot be reached now."""
    offline: bool = False
    """Never go forward. `towards` says it where the modes do."""
    record: str = ""
    """The recording that every answer goes into: always go forward, keep whatever comes."""
    replay: str = ""
    """The recording that alone answers, whatever the age of what it holds; goes with `offline`."""
    link_down: bool = False
    """Offline since the host cannot be reached, not since somebody wants it: staleness has its limit."""
    lifetimes: tuple[LifetimeRule, ...] = ()
    heuristic_max: int = 86_400
    heuristic_query: bool = True
    conservative_age: bool = True
    max_stale_disconnected: int = 86_400
    stale_on_5xx: bool = False
    s_maxage_allows_stale: bool = False
    set_cookie: SetCookie = SetCookie.STORE
    bypass_cookies: frozenset[str] = frozenset()
    client_certificate: bool = False
    """TLS origins are shown a certificate of this proxy's own, so that what they say may be for it alone."""
    content_type_match: bool = False
    """Store nothing whose media type contradicts the extension of its name."""
    partition: tuple[str, ...] = ()
    """What else keeps copies apart as if Vary named it: lower-case field names, and `referring-site`."""
    no_vary_search: bool = False
    """Heed No-Vary-Search."""
    fetch_whole: bool = False
    """Fetch the whole where nothing is stored and a client asks for a range."""
    client_reload: ClientReload = ClientReload.HONOUR
    hosts: tuple[HostRule, ...] = ()
    targeted_fields: tuple[str, ...] = ()
    """Lower-case names of the targeted fields that apply to this cache, most specific first (RFC 9213 §2.2)."""
    strip_targeted: bool = False
    """Keep them from clients, as what is meant for this cache alone."""
    groups: bool = True
    """Heed Cache-Groups; off where strangers share an origin and could invalidate each other (RFC 9875 §5)."""
    strict_host: bool = False
    vary_language_order: bool = True
    credential_key: bytes = b""
    """Keys the hashes that stand for credentials among Vary values, so that none is written to disk."""

    def mode_of(self, host: str) -> Mode:
        """Return the mode that holds for a host."""
        if self.replay:
            return Mode.REPLAY
        for pattern, mode in self.host_modes:
            if pattern.fullmatch(host):
                return mode
        return self.mode

    def towards(self, host: str) -> CachePolicy:
        """Return the policy as it holds for a request to a host: offline where its mode or a broken link says so."""
        mode = self.mode_of(host)
        if mode in (Mode.OFFLINE, Mode.REPLAY):
            return replace(self, offline=True)
        if mode is Mode.AUTO and host.lower() in self.unreachable:
            return replace(self, offline=True, link_down=True)
        return self


def heeds_groups(host: str, policy: CachePolicy) -> bool:
    """Tell whether the responses of a host go out of date in groups."""
    chosen = (rule.groups for rule in policy.hosts if rule.groups is not None and rule.host.fullmatch(host))
    return next(chosen, policy.groups)


def client_reload(host: str, policy: CachePolicy) -> ClientReload:
    """Return what becomes of a client's wish for a host's responses to be validated."""
    chosen = (rule.client_reload for rule in policy.hosts if rule.client_reload and rule.host.fullmatch(host))
    return next(chosen, policy.client_reload)
