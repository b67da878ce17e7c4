"""Request templates: direct fetches for misses that are like earlier ones.

While nothing is stored under its key, the target of a request does not change what is sent to the origin. So a request
with the same fields for the same origin as an earlier one is sent with the same bytes around its target. If the last
response was uncacheable (hit-for-pass) and the origin repeats a response head byte for byte, that head is passed on as
the engine presented it before. Every other response goes to the fetcher.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import override

from addon.frontend.http1.batched_counters import BatchedCounters
from addon.frontend.http1.direct_fetch import DirectFetch, DirectFetchClient
from addon.frontend.http1.response_head import framing_of, head_bytes
from addon.origin import OriginFailure
from addon.origin.connection import OriginConnection
from addon.origin.pool import OriginPool
from addon.pipeline.counting import request_counters
from addon.pipeline.fetcher import Fetcher
from addon.pipeline.outcomes import counters_of
from addon.pipeline.responder import is_collapsible
from addon.pipeline.single_flight import audience_of
from addon.runtime.access_log import access_line
from cache import engine
from cache.engine.decisions import Forward, Relay, UpstreamRequest, Validate
from cache.http.messages import DEFAULT_PORTS, Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import NotStored

UNCACHEABLE = frozenset({NotStored.NO_STORE, NotStored.PRIVATE})
"""Reasons not to store a response that depend on what the origin says, not on the request."""

MAX_TEMPLATES = 512
"""Templates that are kept; the least recently used is dropped first."""

MAX_HEADS = 512
"""Response heads that are kept for all templates together; the origin client recognises no more of them."""

_BYTES = ("octets.from_origin",)

ALIKE = tuple[str, str, str, int, Fields, str, str | None]
"""Everything of a request but its target."""


@dataclass(slots=True, eq=False)
class RequestTemplate:
    """Request template, and whether its last response was uncacheable."""

    policy: CachePolicy
    sent: Forward
    pool: OriginPool
    before_target: bytes
    after_target: bytes
    uncacheable: bool


@dataclass(frozen=True, slots=True)
class PresentedHead:
    """An uncacheable response with a known head, ready to be passed on."""

    origin: Response
    """The head that the origin sent."""
    head: bytes
    """The head that the client gets."""
    relay: Relay
    counters: tuple[str, ...]
    """The names of the counters that such a response adds to."""


class RequestTemplates:
    """The templates of one pipeline."""

    def __init__(self, fetcher: Fetcher, counters: BatchedCounters) -> None:
        self.fetcher = fetcher
        self.heads: dict[tuple[RequestTemplate, int], PresentedHead] = {}
        """Heads that were presented before, by template and by identity of the origin's head."""
        self.keep_connections = True
        """Clients may send another request after a response; False once the proxy stops."""
        self._counters = counters
        self._request_counters = {scheme: request_counters(scheme) for scheme in DEFAULT_PORTS}
        self._templates: OrderedDict[ALIKE, RequestTemplate] = OrderedDict()

    def learn(self, request: Request, not_stored: NotStored | None) -> None:
        """Keep a template of a request that was a miss; `not_stored` tells why its response was not stored."""
        fetcher, policy, uncacheable = self.fetcher, self.fetcher.policy, not_stored in UNCACHEABLE
        known = self._templates.get(_alike(request))
        if known is not None and known.policy is policy:
            known.uncacheable = uncacheable
            self._templates.move_to_end(_alike(request))
            return
        if not policy.shortcuts.request_template:
            return
        sent = engine.on_request(request, (), policy, fetcher.clock())
        if not isinstance(sent, Forward) or sent.detail or not is_collapsible(request, sent):
            return
        pool = fetcher.client.pool(request)
        if pool.route.proxy is not None:
            return
        head = fetcher.client.request_bytes(sent.request)
        before, _, after = head.partition(b" " + request.target.encode("latin-1") + b" ")
        self._templates[_alike(request)] = RequestTemplate(
            policy=policy,
            sent=sent,
            pool=pool,
            before_target=before + b" ",
            after_target=b" " + after,
            uncacheable=uncacheable,
        )
        if len(self._templates) > MAX_TEMPLATES:
            self._templates.popitem(last=False)

    def fetch(self, request: Request, key: str, now: float, client: DirectFetchClient) -> DirectFetch | None:
        """Return a direct fetch for a request without stored responses, or None if there is no template for it.

        `now` is in seconds since the epoch.
        """
        template = self._templates.get(_alike(request))
        if template is None or template.policy is not self.fetcher.policy:
            return None
        if self._is_being_fetched(request, template.sent, key, now):
            return None
        connection = template.pool.idle_connection()
        if connection is None:
            return None
        self._counters.count(self._request_counters[request.scheme])
        return TemplateFetch(self, template, request, connection, client, key=key, now=now)

    def validate(
        self, request: Request, sent: Validate, key: str, now: float, client: DirectFetchClient
    ) -> DirectFetch | None:
        """Return a direct fetch that validates a stored response, or None if it cannot be sent at once."""
        if not is_collapsible(request, sent) or self._is_being_fetched(request, sent, key, now):
            return None
        try:
            pool = self.fetcher.client.pool(request)
            head = self.fetcher.client.request_bytes(sent.request)
        except (OriginFailure, ValueError):
            return None
        connection = pool.idle_connection()
        if connection is None:
            return None
        self._counters.count(self._request_counters[request.scheme])
        return DirectFetch(
            request,
            sent,
            head,
            connection,
            client,
            origin_name=pool.name,
            fetcher=self.fetcher,
            key=key,
            now=now,
        )

    def _is_being_fetched(self, request: Request, sent: UpstreamRequest, key: str, now: float) -> bool:
        """Return whether a fetch for the same key is under way that this request may wait for."""
        single_flight, audience = self.fetcher.single_flight, audience_of(request, sent.fwd, sent.variant)
        is_led = single_flight.leader(key, audience) is not None
        return is_led and not single_flight.is_hit_for_pass(key, now, audience)

    def conclude(self, fetch: DirectFetch, presented: PresentedHead, size: int) -> None:
        """Finish a fetch whose response of `size` bytes is passed on and not stored, and count it."""
        self._counters.count(presented.counters)
        self._counters.count(_BYTES, size)
        fetch.fetcher.note_response(fetch.request)
        fetch.fetcher.outcomes.release_followers(presented.relay, fetch.flight)
        fetch.fetcher.single_flight.finish(fetch.flight)


class TemplateFetch(DirectFetch):
    """A direct fetch from a template."""

    __slots__ = ("_template", "_templates")

    def __init__(
        self,
        templates: RequestTemplates,
        template: RequestTemplate,
        request: Request,
        connection: OriginConnection,
        client: DirectFetchClient,
        *,
        key: str,
        now: float,
    ) -> None:
        self._templates = templates
        self._template = template
        super().__init__(
            request,
            template.sent,
            template.before_target + request.target.encode("latin-1") + template.after_target,
            connection,
            client,
            origin_name=template.pool.name,
            fetcher=templates.fetcher,
            key=key,
            now=now,
        )

    @property
    @override
    def sent(self) -> Forward:
        sent = self._template.sent
        return replace(sent, request=replace(sent.request, target=self.request.target))

    @property
    @override
    def shareable(self) -> bool:
        return not self._template.uncacheable

    @override
    def _respond(self) -> None:
        response, presented = self.response, None
        is_plain = response.complete and not response.trailers.lines and not response.read_leniently
        may_present = self._template.uncacheable and self._templates.keep_connections
        if may_present and is_plain and response.head:
            presented = self._present(response.head)
        if presented is None:
            self.client.continue_fetch(self)
            return
        content = response.whole() or b""
        self._templates.conclude(self, presented, len(content))
        self.client.send_direct(presented.head, content, lambda: self._log_line(presented.relay, len(content)))

    def _present(self, head: Response) -> PresentedHead | None:
        """Return how the response is passed on, or None unless it is simply uncacheable."""
        fetcher, heads, place = self.fetcher, self._templates.heads, (self._template, id(head))
        known = heads.get(place)
        if known is not None and known.origin is head:
            return known
        received = Received(head, self.sent_at, fetcher.clock())
        outcome = fetcher.outcomes.judge(self.request, self.sent, received, fetcher.policy)
        if not isinstance(outcome, Relay) or outcome.not_stored not in UNCACHEABLE or outcome.changes:
            return None
        presented = outcome.response.head
        # a Date that this cache has added would be wrong a second later
        if not outcome.response.has_content or presented.fields.get("date") != head.fields.get("date"):
            return None
        framing = framing_of(presented, "GET", self.request.version, persistent=True)
        if framing.chunked or framing.close:
            return None
        counters = ("origin.fetches", *counters_of(self.request, outcome))
        if len(heads) >= MAX_HEADS:
            heads.clear()
        heads[place] = PresentedHead(head, head_bytes(presented, framing), outcome, counters)
        return heads[place]

    def _log_line(self, relay: Relay, size: int) -> str:
        return access_line(self.request, relay.response.head.status, size, relay.handling)


def _alike(request: Request) -> ALIKE:
    return (
        request.method,
        request.version,
        request.host,
        request.port,
        request.fields,
        request.scheme,
        request.tls_name,
    )
