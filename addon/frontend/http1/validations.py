"""Validations: direct fetches for copies that need the origin's word, and plans for those that need it before each use.

A copy with `no-cache` is validated for every request. Mostly the origin sends the same 304 each time, but for its Date,
and the client the same response. A validation plan has both, and the bytes of the conditional request, by the bytes of
the client's request head. So neither the request nor the 304 has to be parsed, and the engine need not decide again.

A plan ends with the policy, with any change under its key, with any other response, and when the engine would store the
Date of the 304: see `confirms_only` in `cache/rules/validation.py`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from addon.frontend.http1.batched_counters import BatchedCounters, Tally
from addon.frontend.http1.direct_fetch import DirectFetch, DirectFetchClient, ReadyFetch
from addon.frontend.http1.repeated_requests import OpenRequests, RepeatedRequest
from addon.frontend.http1.request_templates import RequestTemplates
from addon.frontend.http1.response_head import escaped, framing_of, template_bytes
from addon.origin import OriginFailure
from addon.origin.head_form import FormedHead, HeadForm
from addon.origin.prepared_request import ReadyRequest
from addon.pipeline.counting import from_copy_counters, host_counters, response_counters
from addon.pipeline.fetcher import Fetcher
from addon.pipeline.flight import Flight, FlightResult
from addon.pipeline.responder import is_collapsible
from addon.pipeline.single_flight import audience_of
from addon.runtime.access_log.logged_response import LoggedResponse
from cache.answer.responses import CopyResponse
from cache.engine.decisions import Freshen, Validate
from cache.http.client import Client
from cache.http.fields import http_date
from cache.http.messages import Received, Request
from cache.policy.reasons import Detail
from cache.rules.key import primary_key
from cache.rules.validation import CONFIRMED_FOR
from cache.stores.base import GenerationTable, Stamp

MAX_PLANS = 4096
"""Plans that are kept; the least recently used is dropped first."""

MAX_SIZE = 4096
"""Bytes of the largest heads that a plan is made for, all of them together."""

MAX_CONTENT = 65_536
"""Bytes of the largest content that is sent at once."""


@dataclass(slots=True, eq=False, kw_only=True)
class PlannedRequest(RepeatedRequest[Validate]):
    """A request that has to be sent to the origin to validate a stored response, and what that depends on."""

    head_as_sent: bytes
    """The client's request head, with the prefix of its connection."""
    request: Request
    """The client's request."""
    stamp: Stamp
    """The generation of the key when `sent` was decided."""
    decided_at: float
    """The time at which `sent` was decided, in seconds since the epoch."""


@dataclass(slots=True, eq=False)
class ValidationPlan:
    """A request, the 304 that it will probably get, and the response to the client."""

    planned: PlannedRequest
    form: HeadForm
    """The form of the 304."""
    values: tuple[str, ...]
    """The open values of the 304, without its Date."""
    date: int
    """The number of the value of Date."""
    response: CopyResponse
    head: bytes
    """The head that the client gets, with `%b` for Date."""
    valid_until: float
    """In seconds since the epoch."""
    responses: Tally
    """Such responses."""
    octets: Tally
    """The bytes of their content."""
    logged: LoggedResponse
    """Such a response, for the access log."""

    def is_confirmed_by(self, head: FormedHead, now: float) -> bool:
        """Return whether a 304 is the expected one. `now` is in seconds since the epoch."""
        if head.form is not self.form or now >= self.valid_until:
            return False
        date = head.open_values[self.date]
        return _without(head.open_values, self.date) == self.values and http_date(date, now) is not None


class Validations:
    """The direct fetches that validate stored responses, and their plans."""

    def __init__(
        self, fetcher: Fetcher, templates: RequestTemplates, generations: GenerationTable, counters: BatchedCounters
    ) -> None:
        self.fetcher = fetcher
        self.templates = templates
        self._generations = generations
        self._counters = counters
        self._plans: OrderedDict[bytes, ValidationPlan] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of plans."""
        return len(self._plans)

    def repeat(
        self, head_as_sent: bytes, clock: Callable[[], float], client: DirectFetchClient, sent_by: Client | None = None
    ) -> ReadyFetch | None:
        """Return a direct fetch by a plan, or None if there is no valid plan, or the fetch cannot be sent at once.

        Args:
            head_as_sent: The request head with the prefix of its connection.
            clock: Returns seconds since the epoch.
            client: Gets the response.
            sent_by: Whom the origin is told as the client.
        """
        plan = self._plans.get(head_as_sent)
        if plan is None:
            return None
        planned, now = plan.planned, clock()
        is_valid = planned.policy is self.fetcher.policy and planned.decided_at <= now < plan.valid_until
        if not is_valid or not self._generations.is_current(planned.stamp):
            del self._plans[head_as_sent]
            return None
        self._plans.move_to_end(head_as_sent)
        return self._fetch(planned, plan, planned.request.with_client(sent_by), now=now, client=client)

    def validate(
        self,
        head_as_sent: bytes,
        request: Request,
        sent: Validate,
        stamp: Stamp,
        *,
        now: float,
        client: DirectFetchClient,
    ) -> ReadyFetch | None:
        """Return a fetch that validates a stored response, or None if it cannot be sent at once.

        `stamp` was taken before the stored response was read; the other arguments are as in `repeat`.
        """
        if not is_collapsible(request, sent):
            return None
        try:
            pools = self.fetcher.client.pools(request)
        except OriginFailure:
            return None
        stamp.tags = "\n".join([entry.tags for entry in sent.to_validate if entry.tags])
        planned = PlannedRequest(
            policy=self.fetcher.policy,
            sent=sent,
            open_requests=OpenRequests(self.fetcher.client, pools, sent.request),
            head_as_sent=head_as_sent,
            request=request,
            stamp=stamp,
            decided_at=now,
        )
        return self._fetch(planned, None, request, now=now, client=client)

    def _fetch(
        self,
        planned: PlannedRequest,
        plan: ValidationPlan | None,
        request: Request,
        *,
        now: float,
        client: DirectFetchClient,
    ) -> ReadyFetch | None:
        key, fetcher, leases = primary_key(planned.request), self.fetcher, self.fetcher.leases
        audience = audience_of(planned.request, planned.sent.fwd, planned.sent.variant)
        # with a plan, to wait for another fetch is in vain: no-cache has each request validated (RFC 9111 §5.2.2.4)
        if plan is None and self.templates.must_wait(key, audience, now):
            return None
        if leases is not None and leases.take_part(planned.sent, key, audience):
            flight = self.templates.begin(request, key, audience)
            return planned.leased_fetch(
                leases,
                request,
                client,
                fetcher=fetcher,
                flight=flight,
                is_unchanged=lambda: planned.sent.selected in (fetcher.store.peek(key) or ()),
                begin=lambda ready: ValidatingFetch(
                    self, planned, None, request, ready, client=client, flight=flight, now=fetcher.clock()
                ),
            )
        ready = planned.open_requests.ready(request)
        if ready is None:
            return None
        flight = self.templates.begin(request, key, audience)
        return ValidatingFetch(self, planned, plan, request, ready, client=client, flight=flight, now=now)

    def plan(self, fetch: ValidatingFetch, head: FormedHead, now: float) -> ValidationPlan | None:
        """Return the plan that a 304 fits: the one of its fetch, or a new one. None if there is none.

        `now` is when the 304 was received, in seconds since the epoch.
        """
        plan, planned = fetch.plan, fetch.planned
        if plan is not None and plan.is_confirmed_by(head, now):
            return plan
        self.forget(planned)
        # for other reasons, an equal request gets another decision later
        if planned.sent.detail is not Detail.RESPONSE_NO_CACHE or planned.policy is not self.fetcher.policy:
            return None
        received = Received(head.parsed.response, fetch.sent_at, now)
        outcome = self.fetcher.outcomes.judge_at_once(planned.request, planned.sent, received, planned.policy)
        plan = validation_plan(planned, head, outcome, self._counters) if isinstance(outcome, Freshen) else None
        if plan is not None:
            self._plans[planned.head_as_sent] = plan
            if len(self._plans) > MAX_PLANS:
                self._plans.popitem(last=False)
        return plan

    def forget(self, planned: PlannedRequest) -> None:
        """Drop the plan for equal requests, if there is one."""
        self._plans.pop(planned.head_as_sent, None)

    def conclude(self, fetch: ValidatingFetch, plan: ValidationPlan) -> None:
        """Finish a fetch whose response is sent by a plan, and count it."""
        plan.responses.amount += 1
        plan.octets.amount += plan.response.length
        single_flight = self.fetcher.single_flight
        self.fetcher.note_response(fetch.request)
        single_flight.clear_hit_for_pass(fetch.flight)
        fetch.flight.end(FlightResult.STORED)
        single_flight.finish(fetch.flight)


class ValidatingFetch(DirectFetch):
    """A direct fetch that validates a stored response."""

    __slots__ = ("_validations", "plan", "planned")

    def __init__(
        self,
        validations: Validations,
        planned: PlannedRequest,
        plan: ValidationPlan | None,
        request: Request,
        ready: ReadyRequest,
        *,
        client: DirectFetchClient,
        flight: Flight,
        now: float,
    ) -> None:
        self._validations = validations
        self.planned = planned
        self.plan = plan
        super().__init__(
            request,
            planned.sent,
            ready,
            client,
            fetcher=validations.fetcher,
            flight=flight,
            now=now,
            work=validations.templates.work,
        )

    @property
    @override
    def sent(self) -> Validate:
        return self.planned.sent_for(self.request)

    @override
    def _respond_at_once(self) -> bool:
        """Send the response by a plan. Return whether there is one for the origin's response."""
        response, head = self.response, self.response.formed_head
        is_plain = response.complete and not response.read_leniently and self._validations.templates.keep_connections
        if head is None or not is_plain or head.parsed.response.status != 304:
            self._validations.forget(self.planned)
            return False
        now = self.fetcher.clock()
        plan = self._validations.plan(self, head, now)
        content = self.fetcher.reply_builder.content_in_memory(plan.response) if plan is not None else None
        if plan is None or content is None:
            return False
        self._validations.conclude(self, plan)
        shown = plan.head % head.open_values[plan.date].encode("ascii")
        times = self.times(now)
        self.work.answering.add(lambda: self.client.send_direct(shown, content, plan.logged, times), self.client.abort)
        return True


def validation_plan(
    planned: PlannedRequest, head: FormedHead, outcome: Freshen, counters: BatchedCounters
) -> ValidationPlan | None:
    """Return the plan by what a 304 has led to, or None if the same one may lead to something else later."""
    response, policy, request = outcome.response, planned.policy, planned.request
    presented = response.head
    open_names = [head.parsed.response.fields.lines[place][0].lower() for place in head.form.places]
    dates = [number for number, name in enumerate(open_names) if name == "date"]
    framing = framing_of(presented, "GET", request.version, persistent=True)
    if outcome.changes or len(dates) != 1 or framing.chunked or framing.close or response.length > MAX_CONTENT:
        return None
    # these could contain the time; a date of the client could be compared with the Date of the copy
    if policy.presentation.annotations or policy.presentation.memento or "age" in presented.fields:
        return None
    if "if-modified-since" in request.fields:
        return None
    date = head.open_values[dates[0]]
    lines = escaped(presented)
    places = [place for place, (name, _) in enumerate(lines) if name.lower() == "date"]
    if len(places) != 1 or lines[places[0]][1] != date:
        return None
    lines[places[0]] = (lines[places[0]][0], "%b")
    shown = template_bytes(presented, lines, framing)
    if len(planned.head_as_sent) + planned.open_requests.longest + len(shown) > MAX_SIZE:
        return None
    host = counters.counted_as(request.authority)
    names = response_counters(request.scheme, outcome.handling, response.exemption)
    return ValidationPlan(
        planned=planned,
        form=head.form,
        values=_without(head.open_values, dates[0]),
        date=dates[0],
        response=response,
        head=shown,
        valid_until=planned.sent.to_validate[0].response_time + CONFIRMED_FOR,
        responses=counters.tally(
            "origin.fetches", "origin.validations", *names, *host_counters(host, outcome.handling)
        ),
        octets=counters.tally(*from_copy_counters(host)),
        logged=LoggedResponse(presented.status, response.length, request, handling=outcome.handling),
    )


def _without(values: tuple[str, ...], number: int) -> tuple[str, ...]:
    return values[:number] + values[number + 1 :]
