"""Request templates: direct fetches for misses that are like earlier ones.

While nothing is stored under its key, the target of a request does not change what is sent to the origin. So a request
with the same fields for the same origin as an earlier one is sent with the same bytes around its target. Its response
is passed on, and stored, by a response template, if there is one. Every other response goes to the fetcher.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import override

from addon.frontend.http1.batched_counters import BatchedCounters, Tally
from addon.frontend.http1.direct_fetch import DirectFetch, DirectFetchClient, ReadyFetch
from addon.frontend.http1.gathered_work import GatheredWork
from addon.frontend.http1.repeated_requests import OpenRequests, RepeatedRequest
from addon.frontend.http1.response_templates import UNCACHEABLE, ResponseTemplate, response_template
from addon.origin import OriginFailure
from addon.origin.head_form import FormedHead, HeadForm
from addon.origin.prepared_request import ReadyRequest
from addon.pipeline.counting import from_origin_counters, request_counters
from addon.pipeline.fetcher import Fetcher
from addon.pipeline.flight import Flight, FlightResult
from addon.pipeline.responder import is_collapsible
from addon.pipeline.single_flight import audience_of
from addon.runtime.access_log.logged_response import LoggedResponse
from cache import engine
from cache.engine.decisions import Forward, Relay, Store
from cache.http.messages import DEFAULT_PORTS, Fields, Received, Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import NotStored
from cache.policy.site_rules import Effects
from cache.rules.forwarded_fields import view_of
from cache.rules.key import may_be_spelled_otherwise
from cache.rules.site_requests import effects_of

MAX_TEMPLATES = 512
"""Templates that are kept; the least recently used is dropped first."""

MAX_RESPONSE_TEMPLATES = 512
"""Response templates that are kept for all request templates together; the oldest is dropped first."""

ALIKE = tuple[str, str, str, int, Fields, str, str | None, str | None, Effects]
"""Everything of a request but its target and its client, and what the rules of its site say about the target."""


@dataclass(slots=True, eq=False, kw_only=True)
class RequestTemplate(RepeatedRequest[Forward]):
    """Request template, and whether its last response was uncacheable."""

    uncacheable: bool
    audience: int
    """The audience of requests whose target is spelled as in its primary key."""
    octets: Tally
    """Bytes of content from origins."""
    is_kept: bool = True
    """False once it was dropped: another one may have been learnt."""


class RequestTemplates:
    """The templates of one pipeline."""

    def __init__(self, fetcher: Fetcher, counters: BatchedCounters) -> None:
        self.fetcher = fetcher
        self.work = GatheredWork()
        self._response_templates: OrderedDict[tuple[RequestTemplate, HeadForm], ResponseTemplate | None] = OrderedDict()
        """None if there is no response template for this form."""
        self.keep_connections = True
        """Clients may send another request after a response; False once the proxy stops."""
        self._counters = counters
        self._requests = {scheme: counters.tally(*request_counters(scheme)) for scheme in DEFAULT_PORTS}
        self._templates: OrderedDict[ALIKE, RequestTemplate] = OrderedDict()

    def learn(self, request: Request, not_stored: NotStored | None) -> None:
        """Keep a template of a request that was a miss; `not_stored` tells why its response was not stored."""
        fetcher, policy, uncacheable = self.fetcher, self.fetcher.policy, not_stored in UNCACHEABLE
        known = self._templates.get(_alike(request, policy))
        if known is not None and known.policy is policy:
            known.uncacheable = uncacheable
            self._templates.move_to_end(_alike(request, policy))
            return
        if not policy.shortcuts.request_template:
            return
        sent = engine.on_request(request, (), policy, fetcher.clock())
        if not isinstance(sent, Forward) or sent.detail or not is_collapsible(request, sent):
            return
        try:
            pools = fetcher.client.pools(request)
        except OriginFailure:
            return  # a reload has ended its site
        if not pools.are_direct:
            return
        self._templates[_alike(request, policy)] = RequestTemplate(
            policy=policy,
            sent=sent,
            open_requests=OpenRequests(fetcher.client, pools, sent.request),
            uncacheable=uncacheable,
            audience=audience_of(request.with_target("/", request.client), sent.fwd, sent.variant),
            octets=self._counters.tally(*from_origin_counters(self._counters.counted_as(request.authority))),
        )
        if len(self._templates) > MAX_TEMPLATES:
            _, dropped = self._templates.popitem(last=False)
            dropped.is_kept = False

    def find(self, request: Request) -> RequestTemplate | None:
        """Return the template of a request, or None if there is none that is valid."""
        template = self._templates.get(_alike(request, self.fetcher.policy))
        return template if template is not None and self.is_valid(template) else None

    def is_valid(self, template: RequestTemplate) -> bool:
        """Return whether a template that was found before is still the one to use."""
        return template.is_kept and template.policy is self.fetcher.policy

    def fetch(
        self, template: RequestTemplate, request: Request, key: str, now: float, client: DirectFetchClient
    ) -> ReadyFetch | None:
        """Return a fetch for a request without stored responses, or None if it cannot be sent at once.

        `template` is that of the request; `now` is in seconds since the epoch.
        """
        audience = template.audience
        if may_be_spelled_otherwise(request.target):
            audience = audience_of(request, template.sent.fwd, template.sent.variant)
        if self.must_wait(key, audience, now):
            return None
        fetcher, leases = self.fetcher, self.fetcher.leases
        if leases is not None and not template.uncacheable and leases.take_part(template.sent, key, audience):
            flight = self.begin(request, key, audience)
            return template.leased_fetch(
                leases,
                request,
                client,
                fetcher=fetcher,
                flight=flight,
                is_unchanged=lambda: fetcher.store.peek(key) == (),
                begin=lambda ready: TemplateFetch(
                    self, template, request, ready, client, flight=flight, now=fetcher.clock()
                ),
            )
        ready = template.open_requests.ready(request)
        if ready is None:
            return None
        flight = self.begin(request, key, audience)
        return TemplateFetch(self, template, request, ready, client, flight=flight, now=now)

    def begin(self, request: Request, key: str, audience: int) -> Flight:
        """Count a request that is going to be fetched, and return its flight."""
        self._requests[request.scheme].amount += 1
        return self.fetcher.single_flight.begin(key, leads=True, audience=audience)

    def must_wait(self, key: str, audience: int, now: float) -> bool:
        """Return whether a fetch for a key is under way that requests of this audience wait for."""
        single_flight = self.fetcher.single_flight
        is_led = single_flight.leader(key, audience) is not None
        return is_led and not single_flight.is_hit_for_pass(key, now, audience)

    @property
    def response_template_count(self) -> int:
        """Return how many response templates there are."""
        return len(self._response_templates)

    def response_template(self, fetch: TemplateFetch, head: FormedHead, now: float) -> ResponseTemplate | None:
        """Return the template for the response to a fetch, or None if the fetcher has to decide about it.

        `now` is when it was received, in seconds since the epoch.
        """
        if not head.form.has_length:
            return None  # its content is sent in chunks
        place = fetch.template, head.form
        try:
            return self._response_templates[place]
        except KeyError:
            pass
        received = Received(head.parsed.response, fetch.sent_at, now)
        outcome = self.fetcher.outcomes.judge_at_once(fetch.request, fetch.sent, received, self.fetcher.policy)
        known = response_template(fetch.request, head, outcome, self.fetcher.policy, self._counters)
        self._response_templates[place] = known
        if len(self._response_templates) > MAX_RESPONSE_TEMPLATES:
            self._response_templates.popitem(last=False)
        return known

    def conclude(self, fetch: TemplateFetch, known: ResponseTemplate, size: int) -> None:
        """Finish a fetch whose response of `size` bytes is passed on by a template, and count it."""
        known.responses.amount += 1
        fetch.template.octets.amount += size
        fetcher, outcome = self.fetcher, known.outcome
        fetcher.note_response(fetch.request)
        fetcher.outcomes.conclude(fetch.request.method, outcome, fetch.flight)
        if isinstance(outcome, Store):
            fetch.flight.end(FlightResult.STORED)
        fetcher.single_flight.finish(fetch.flight)
        fetch.template.uncacheable = isinstance(outcome, Relay)


class TemplateFetch(DirectFetch):
    """A direct fetch from a template."""

    __slots__ = ("_templates", "template")

    def __init__(
        self,
        templates: RequestTemplates,
        template: RequestTemplate,
        request: Request,
        ready: ReadyRequest,
        client: DirectFetchClient,
        *,
        flight: Flight,
        now: float,
    ) -> None:
        self._templates = templates
        self.template = template
        super().__init__(
            request,
            template.sent,
            ready,
            client,
            fetcher=templates.fetcher,
            flight=flight,
            now=now,
            work=templates.work,
        )

    @property
    @override
    def sent(self) -> Forward:
        return self.template.sent_for(self.request)

    @property
    @override
    def shareable(self) -> bool:
        return not self.template.uncacheable

    @override
    def _respond_at_once(self) -> bool:
        """Pass on the response by a template, and store it as that says. Return whether there is one."""
        response, fetcher = self.response, self.fetcher
        head, content = response.formed_head, response.whole()
        is_plain = not response.trailers.lines and not response.read_leniently
        if head is None or content is None or not is_plain or not self._templates.keep_connections:
            return False
        if self.template.policy is not fetcher.policy or len(content) > fetcher.size_limit.usual:
            return False
        now = fetcher.clock()
        known = self._templates.response_template(self, head, now)
        presented = known.head_for(head, now) if known is not None else None
        if known is None or presented is None:
            return False
        if isinstance(known.outcome, Store):
            entry_id, times = next(fetcher.outcomes.entry_ids), (self.sent_at, now)
            entry = known.entry_for(
                known.outcome.entry,
                entry_id,
                self.request,
                times,
                key=self.flight.key,
                values=head.open_values,
                body=content,
                last_purge=self.flight.last_purge,
            )
            # stored before the client has it, since the client may ask again at once
            if not fetcher.store.keep_at_once(entry, content, self.flight):
                return False
        self._templates.conclude(self, known, len(content))
        logged, taken = self._logged(known.outcome, len(content)), self.times(now)
        self.work.answering.add(lambda: self.client.send_direct(presented, content, logged, taken), self.client.abort)
        return True

    def _logged(self, outcome: Relay | Store, size: int) -> LoggedResponse:
        return LoggedResponse(outcome.response.head.status, size, self.request, handling=outcome.handling)


def _alike(request: Request, policy: CachePolicy) -> ALIKE:
    return (
        request.method,
        request.version,
        request.host,
        request.port,
        request.fields,
        request.scheme,
        request.tls_name,
        view_of(request),
        effects_of(request, policy),
    )
