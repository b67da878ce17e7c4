"""The operator's decisions about caching, in groups. Frozen, passed to every rule, never read from a global."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from cache.http.client import NOBODY, Client
from cache.http.host_table import HostTable
from cache.http.messages import Request
from cache.policy.clock_setting import UNKNOWN_SETTING, ClockSetting
from cache.policy.operator_rules import (
    AnnotationRule,
    AnswerRule,
    AnswerStatus,
    ClientReload,
    ClientRule,
    HostRule,
    LifetimeRule,
    Mode,
    PostRule,
    QueryRule,
    SetCookie,
    TargetRules,
)
from cache.policy.private_cache import SHARED_CACHE, PrivateCache
from cache.policy.site_rules import RuleTable

TAG_FIELDS = (
    "cache-tag",
    "surrogate-key",
    "xkey",
    "edge-cache-tag",
    "cache-groups",
    "cache-tags",
    "x-cache-tags",
    "x-magento-tags",
)
"""The fields by which origins tag responses: those of Cloudflare, Fastly, Varnish, Akamai, RFC 9875 and frameworks."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The names of this cache, and the addresses that it listens on."""

    name: str = "secondhand"
    """The name in Via, Cache-Status and Proxy-Status."""
    instance: str = ""
    """Tells instances of the same name apart; part of Via, so that loops are found."""
    gateway: bool = False
    """This cache stands in front of an origin, for clients that know of no proxy: an edge."""
    own_authorities: frozenset[str] = frozenset()
    """Lower-case `host:port` of a forward proxy's own listener: a request for it is a loop."""
    via: bool = True
    """Add Via to requests; without it, CDN-Loop shows loops (RFC 8586)."""
    forwarded: Client = NOBODY
    """The client that an edge names to the origin in a request of its own. It says which fields are sent."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """The status and the fields of responses to clients."""

    status: AnswerStatus = AnswerStatus.AUTO
    status_rules: tuple[AnswerRule, ...] = ()
    clients: tuple[ClientRule, ...] = ()
    """Clients that get 200 in place of 203 with AnswerStatus.AUTO."""
    annotations: tuple[AnnotationRule, ...] = ()
    cache_status: bool = True
    """Send Cache-Status (RFC 9211)."""
    memento: bool = False
    """Send `Memento-Datetime` and `Link: rel=original` on every response from a copy (RFC 7089)."""
    transport_security: HostTable[str] | None = None
    """The Strict-Transport-Security of responses over https (RFC 6797), by host; None if no host has any."""
    strip_targeted: bool = False
    """Remove the targeted fields that apply to this cache (RFC 9213) from what clients get."""
    stripped_fields: tuple[str, ...] = ()
    """Further lower-case field names that clients do not get: those with cache tags."""
    marks_responses: bool = False
    """Each response has fields of its own, like the id of its request."""


@dataclass(frozen=True, slots=True)
class FreshnessPolicy:
    """The lifetimes of stored responses, and the limits for the use of stale ones. Times are seconds."""

    lifetimes: tuple[LifetimeRule, ...] = ()
    heuristic_max: int = 86_400
    heuristic_query: bool = True
    """Also guess the lifetime of URLs with a query."""
    conservative_age: bool = True
    max_stale_disconnected: int = 86_400
    stale_on_5xx: bool = False
    s_maxage_allows_stale: bool = False
    clock_valid_from: float = 0.0
    """A clock that shows an earlier time, in seconds since the epoch, is wrong: nothing is fresh then."""
    clock: ClockSetting = UNKNOWN_SETTING
    """The present setting of the wall clock; stored responses have the one under which their times were noted."""
    always_fresh: bool = False
    """Use stored responses whatever their age and whatever their origin demands: a replay."""


@dataclass(frozen=True, slots=True)
class StoringPolicy:
    """The conditions for storing responses."""

    captures: int = 1
    """Number of states of one response that are kept; with more than one, Accept-Datetime selects among them."""
    set_cookie: SetCookie = SetCookie.AUTO
    client_certificate: bool = False
    """This proxy shows TLS origins a client certificate, so responses may be meant for it only."""
    content_type_match: bool = False
    """Do not store a response whose media type contradicts the extension in its path."""
    groups: bool = True
    """Obey Cache-Groups; off if the sites on one origin must not invalidate each other (RFC 9875 §5)."""
    everything: bool = False
    """Store each response that a later request could be answered from: a recording."""
    tag_fields: tuple[str, ...] = TAG_FIELDS
    """Lower-case names of the fields with cache tags."""


@dataclass(frozen=True, slots=True)
class KeyPolicy:
    """The conditions for a stored response to match a request."""

    query_rules: tuple[QueryRule, ...] = ()
    post_rules: tuple[PostRule, ...] = ()
    partition: tuple[str, ...] = ()
    """Further lower-case field names that copies are kept apart by as if Vary named them; also `referring-site`."""
    no_vary_search: bool = False
    """Obey No-Vary-Search."""
    vary_language_order: bool = True
    """Treat the same languages in another order as another Accept-Language value."""
    credential_key: bytes = b""
    """Key of the hashes that stand for credentials among Vary values, so that no credential is stored."""
    ignore_credentials: bool = False
    """Do not select by credentials: recordings are made and replayed by one person."""
    ignore_vary_star: bool = False
    """Match responses with `Vary: *`, which no cache may (RFC 9111 §4.1): a replay repeats what was sent."""


@dataclass(frozen=True, slots=True)
class CodingPolicy:
    """The content codings between this cache and its clients."""

    classes: bool = False
    """Compare and forward Accept-Encoding as one of a few classes."""
    compress: tuple[str, ...] = ()
    """The codings in which forms of stored responses are made, the preferred one first."""
    min_size: int = 1024
    """Bytes of the shortest body that is compressed."""
    content_types: tuple[re.Pattern[str], ...] = ()
    """The media types that are compressed."""


@dataclass(frozen=True, slots=True)
class RequestPolicy:
    """The handling of requests from clients."""

    client_reload: ClientReload = ClientReload.HONOUR
    strict_host: bool = False
    """Refuse requests whose Host or TLS server name differs from their target."""
    bypass_cookies: frozenset[str] = frozenset()
    """Names of cookies whose requests bypass the cache."""
    fetch_whole: bool = False
    """Fetch the whole response when a client asks for a range of something that is not stored."""
    reach: TargetRules | None = None
    """Targets refused to clients; None if only this machine can reach the proxy."""
    admin_port: int | None = None
    """The port of the admin API on this machine, to which no request is forwarded."""
    always_forward: bool = False
    """Send every request to the origin, without the client's own validators: a recording is being made."""


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """The use of the network, in general and for single hosts."""

    mode: Mode = Mode.AUTO
    host_modes: tuple[tuple[re.Pattern[str], Mode], ...] = ()
    """Modes of single hosts, in place of `mode`; the first match wins."""
    unreachable: frozenset[str] = frozenset()
    """The origins that are left alone because they do not answer, each as in `Request.origin`."""
    offline: bool = False
    """Send no request to an origin. Set by `CachePolicy.for_host` and `CachePolicy.towards`."""
    disconnected: bool = False
    """Offline because the origin does not answer, not by choice: staleness has its limit then."""
    store_away: bool = False
    """The store that nodes share cannot be used now, so that a request may be forwarded which has a copy there."""


@dataclass(frozen=True, slots=True)
class Recording:
    """The recording that is being made or replayed. The groups above say what that changes."""

    name: str
    is_replay: bool


@dataclass(frozen=True, slots=True)
class Shortcuts:
    """The ways past the engine that are allowed. They skip rules, so a policy with such rules forbids them."""

    direct_fetch: bool
    """Send a request to the origin without the pipeline: its key is found from its URL alone."""
    request_template: bool
    """Repeat the upstream request and the response head of a similar request."""
    hot_response: bool
    """Repeat a response by the bytes of the request head, with only `Age` and `ttl` renewed."""
    response_pattern: bool
    """Repeat a response for another URL, with only the values renewed that the response has from its copy."""


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """All decisions of the operator."""

    identity: Identity = Identity()
    presentation: Presentation = Presentation()
    freshness: FreshnessPolicy = FreshnessPolicy()
    storing: StoringPolicy = StoringPolicy()
    keying: KeyPolicy = KeyPolicy()
    codings: CodingPolicy = CodingPolicy()
    requests: RequestPolicy = RequestPolicy()
    private: PrivateCache = SHARED_CACHE
    network: NetworkPolicy = NetworkPolicy()
    recording: Recording | None = None
    hosts: tuple[HostRule, ...] = ()
    """Exceptions for single hosts; the first match wins."""
    site_rules: RuleTable | None = None
    """The rules of the sites of an edge; None if no site has any."""
    targeted_fields: tuple[str, ...] = ()
    """Lower-case names of the targeted fields that apply to this cache, most specific first (RFC 9213 §2.2)."""
    shortcuts: Shortcuts = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Compute `shortcuts`."""
        annotations = self.presentation.annotations
        key_is_url = not (self.keying.no_vary_search or self.keying.query_rules)
        counts_seconds = any("{age}" in value for rule in annotations for _, value in (*rule.set, *rule.append))
        unmarked = key_is_url and not self.presentation.marks_responses
        shows_copy = annotations or self.presentation.memento or self.storing.captures > 1
        shortcuts = Shortcuts(
            direct_fetch=unmarked,
            request_template=unmarked and not annotations,
            hot_response=unmarked and not counts_seconds,
            response_pattern=unmarked and not shows_copy,
        )
        object.__setattr__(self, "shortcuts", shortcuts)

    def mode_of(self, host: str) -> Mode:
        """Return the mode that holds for a host."""
        if self.recording and self.recording.is_replay:
            return Mode.REPLAY
        for pattern, mode in self.network.host_modes:
            if pattern.fullmatch(host):
                return mode
        return self.network.mode

    def for_host(self, host: str) -> CachePolicy:
        """Return the policy for requests to a host: offline if its mode says so."""
        if self.mode_of(host) in (Mode.OFFLINE, Mode.REPLAY):
            return replace(self, network=replace(self.network, offline=True))
        return self

    def towards(self, request: Request) -> CachePolicy:
        """Return the policy for a request: offline if the host's mode says so, or if the origin is left alone."""
        if self.leaves_alone(request):
            return replace(self, network=replace(self.network, offline=True, disconnected=True))
        return self.for_host(request.host)

    def leaves_alone(self, request: Request) -> bool:
        """Return whether the origin of a request is left alone because it does not answer."""
        unreachable = self.network.unreachable
        return bool(unreachable) and request.origin in unreachable and self.mode_of(request.host) is Mode.AUTO

    def leaving_none_alone(self) -> CachePolicy:
        """Return the policy for a request that tries an origin again."""
        if not self.network.unreachable:
            return self
        return replace(self, network=replace(self.network, unreachable=frozenset()))


def obeys_groups(host: str, policy: CachePolicy) -> bool:
    """Return whether Cache-Groups of a host's responses are obeyed."""
    chosen = (rule.groups for rule in policy.hosts if rule.groups is not None and rule.host.fullmatch(host))
    return next(chosen, policy.storing.groups)


def client_reload(host: str, policy: CachePolicy) -> ClientReload:
    """Return what a client's `no-cache` or `max-age=0` does for a host."""
    chosen = (rule.client_reload for rule in policy.hosts if rule.client_reload and rule.host.fullmatch(host))
    return next(chosen, policy.requests.client_reload)
