"""Requests that go to the origin at once, and answers that are passed on without ceremony.

What a request leads to while nothing is stored under its key has nothing to do with its target. So a request with the
same fields to the same origin as one before is sent as that one was. An origin that forbids to store answers says so
with most of what it sends: a head that it repeats octet for octet is passed on as the engine had it before. Whatever
else comes back is left to the fetcher.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import override

from addon.frontend.http1.direct_fetch import DirectFetch, DirectFetchClient
from addon.frontend.http1.response_head import framing_of, head_octets
from addon.origin import OriginFailure
from addon.origin.connection import OriginConnection
from addon.origin.pool import OriginPool
from addon.pipeline.fetcher import Fetcher
from addon.pipeline.responder import is_collapsible
from addon.runtime.access_log import access_line
from addon.runtime.counters import Counters
from cache import engine
from cache.answer.cache_status import Handling
from cache.engine.decisions import Forward, Relay, Validate
from cache.http.messages import DEFAULT_PORTS, Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Forwarded, NotStored

FORBIDDEN = frozenset({NotStored.NO_STORE, NotStored.PRIVATE})
"""Reasons not to store that lie in what the origin says, whatever was asked."""

KEPT = 512
"""Questions that are remembered; the least recently learned goes first."""

HEADS = 512
"""Response heads that are remembered for all of them together: no more are known again (`addon.origin.known_heads`)."""

Shape = tuple[str, str, str, int, Fields, str, str | None]


@dataclass(slots=True, eq=False)
class RequestTemplate:
    """Requests that are alike but for their target, and what their answers have come to."""

    policy: CachePolicy
    sent: Forward
    pool: OriginPool
    start: bytes
    """The octets of the request before its target."""
    rest: bytes
    """The octets of the request behind its target."""
    forbidden: bool
    """The last answer was not to be stored."""


class RequestTemplates:
    """The questions that were asked before."""

    def __init__(self, fetcher: Fetcher, counters: Counters) -> None:
        self.fetcher = fetcher
        self.heads: dict[tuple[RequestTemplate, int], tuple[Response, bytes, Relay]] = {}
        """By question and identity: an origin's head, how it is passed on, and why it is not stored."""
        self._counters = counters
        self._templates: OrderedDict[Shape, RequestTemplate] = OrderedDict()
        self._asked = dict.fromkeys(DEFAULT_PORTS, 0)
        self._passed: dict[NotStored, int] = {}
        self._octets = 0

    def learn(self, request: Request, not_stored: NotStored | None) -> None:
        """Note that an origin has answered a request for which nothing was stored, and why that was `not_stored`."""
        fetcher, policy, forbidden = self.fetcher, self.fetcher.policy, not_stored in FORBIDDEN
        known = self._templates.get(_shape(request))
        if known is not None and known.policy is policy:
            known.forbidden = forbidden
            self._templates.move_to_end(_shape(request))
            return
        if policy.annotations or policy.query_rules or policy.no_vary_search:
            return
        sent = engine.on_request(request, (), policy, fetcher.clock())
        if not isinstance(sent, Forward) or sent.detail or not is_collapsible(request, sent):
            return
        pool = fetcher.origin.pool(request)
        if pool.route.proxy is not None:
            return
        octets = fetcher.origin.request_bytes(sent.request)
        target = request.target.encode("latin-1")
        start, _, rest = octets.partition(b" " + target + b" ")
        self._templates[_shape(request)] = RequestTemplate(policy, sent, pool, start + b" ", b" " + rest, forbidden)
        if len(self._templates) > KEPT:
            self._templates.popitem(last=False)

    def begin(self, request: Request, key: str, now: float, client: DirectFetchClient) -> DirectFetch | None:
        """Return a request that is to be sent on, `client` to be told of its answer, or None where it is not for here.

        Nothing is stored under `key`; it is `now`, in seconds since the epoch.
        """
        template = self._templates.get(_shape(request))
        if template is None or template.policy is not self.fetcher.policy or self._is_awaited(key, now):
            return None
        connection = template.pool.idle_connection()
        if connection is None:
            return None
        self._asked[request.scheme] += 1
        return TemplateFetch(self, template, request, connection, key, now, client)

    def validate(
        self, request: Request, sent: Validate, key: str, now: float, client: DirectFetchClient
    ) -> DirectFetch | None:
        """Return a request that asks whether what is stored under `key` still holds, or None where others may ask."""
        if not is_collapsible(request, sent) or self._is_awaited(key, now):
            return None
        try:
            pool = self.fetcher.origin.pool(request)
            octets = self.fetcher.origin.request_bytes(sent.request)
        except (OriginFailure, ValueError):
            return None
        connection = pool.idle_connection()
        if connection is None:
            return None
        self._asked[request.scheme] += 1
        return DirectFetch(request, sent, octets, connection, pool.route.where, self.fetcher, key, now, client)

    def _is_awaited(self, key: str, now: float) -> bool:
        """Tell whether what somebody else is fetching may do for this request as well."""
        single_flight = self.fetcher.single_flight
        return single_flight.leader(key) is not None and not single_flight.is_hit_for_pass(key, now)

    def landed(self, fetch: DirectFetch, reason: NotStored, octets: int) -> None:
        """Let everybody go who waits for what may not be shared, and count."""
        single_flight, passed = self.fetcher.single_flight, self._passed
        single_flight.mark_hit_for_pass(fetch.flight.key, self.fetcher.clock())
        single_flight.finish(fetch.flight)
        passed[reason] = passed.get(reason, 0) + 1
        self._octets += octets

    def count(self) -> None:
        """Add to the statistics what was asked and passed on."""
        asked, self._asked = self._asked, dict.fromkeys(DEFAULT_PORTS, 0)
        passed, self._passed = self._passed, {}
        octets, self._octets = self._octets, 0
        answers = sum(passed.values())
        amounts = {
            "requests": sum(asked.values()),
            **{f"requests.{scheme}": amount for scheme, amount in asked.items()},
            **{f"not_stored.{reason}": amount for reason, amount in passed.items()},
            "octets.from_origin": octets,
            "origin.fetches": answers,
            f"answers.{Forwarded.URI_MISS}": answers,
            f"misses.{Forwarded.URI_MISS}": answers,
        }
        for name, amount in amounts.items():
            if amount:
                self._counters.count(name, amount)


class TemplateFetch(DirectFetch):
    """A question that was asked before, about another target."""

    __slots__ = ("_passing", "template")

    def __init__(
        self,
        passing: RequestTemplates,
        template: RequestTemplate,
        request: Request,
        connection: OriginConnection,
        key: str,
        now: float,
        client: DirectFetchClient,
    ) -> None:
        self._passing = passing
        self.template = template
        octets = template.start + request.target.encode("latin-1") + template.rest
        where = template.pool.route.where
        super().__init__(request, template.sent, octets, connection, where, passing.fetcher, key, now, client)

    @property
    @override
    def sent(self) -> Forward:
        sent = self.template.sent
        return replace(sent, request=replace(sent.request, target=self.request.target))

    @property
    @override
    def shared(self) -> bool:
        return not self.template.forbidden

    @override
    def _arrived(self) -> None:
        exchange, answer = self.exchange, None
        if self.template.forbidden and exchange.complete and exchange.head and not exchange.trailers.lines:
            answer = self._answer_of(exchange.head)
        if answer is None:
            self.client.arrived(self)
            return
        head, relay = answer
        content = exchange.whole() or b""
        self._passing.landed(self, relay.not_stored or NotStored.NO_STORE, len(content))
        status, handling = relay.answer.head.status, relay.handling
        self.client.passed(head, content, lambda: self._line(status, len(content), handling))

    def _answer_of(self, head: Response) -> tuple[bytes, Relay] | None:
        """Return how a head is passed on, or None where it says something else than that nothing may be stored."""
        fetcher, heads, place = self.fetcher, self._passing.heads, (self.template, id(head))
        known = heads.get(place)
        if known is not None and known[0] is head:
            return known[1], known[2]
        received = Received(head, self.asked_at, fetcher.clock())
        outcome = fetcher.judged(self.request, self.sent, received)
        if not isinstance(outcome, Relay) or outcome.not_stored not in FORBIDDEN or outcome.changes:
            return None
        presented = outcome.answer.head
        # a Date of our own making would be another one a second later
        if not outcome.answer.has_content or presented.fields.get("date") != head.fields.get("date"):
            return None
        framing = framing_of(presented, "GET", self.request.version, persistent=True)
        if framing.chunked or framing.close:
            return None
        octets = head_octets(presented, framing)
        if len(heads) >= HEADS:
            heads.clear()
        heads[place] = head, octets, outcome
        return octets, outcome

    def _line(self, status: int, octets: int, handling: Handling | None) -> str:
        return access_line(self.request, status, octets, handling)


def _shape(request: Request) -> Shape:
    return (
        request.method,
        request.version,
        request.host,
        request.port,
        request.fields,
        request.scheme,
        request.tls_name,
    )
