"""Outcomes of origin responses: the engine's decision, carried out in store, single-flight and counters.

The fetcher has every origin response judged here, and carries out its outcome here: it only moves the content. A direct
fetch of the HTTP/1 front end judges an uncacheable response once, and counts the next ones by the result
(`addon/frontend/http1/request_templates.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from addon.pipeline.async_store import AsyncStore
from addon.pipeline.counting import host_counters, response_counters
from addon.pipeline.entry_ids import entry_ids
from addon.pipeline.fill_writer import declared_length
from addon.pipeline.flight import Flight, FlightResult
from addon.pipeline.not_stored_log import NotStoredLog, NotStoredNote
from addon.pipeline.single_flight import HIT_FOR_PASS_AFTER_ERROR_SECONDS, HIT_FOR_PASS_SECONDS, SingleFlight
from addon.pipeline.size_limit import SizeLimit
from addon.pipeline.uncompressed_origins import UncompressedOrigins
from addon.runtime.counters import CounterName, Counters
from cache import engine
from cache.engine.decisions import (
    Change,
    Invalidate,
    Outcome,
    Relay,
    Store,
    UpstreamRequest,
)
from cache.http.messages import Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import NotStored
from cache.rules.key import target_uri


class Outcomes:
    """Judges origin responses, and carries out all that follows from them, except passing on their content."""

    def __init__(
        self,
        *,
        store: AsyncStore,
        single_flight: SingleFlight,
        clock: Callable[[], float],
        counters: Counters,
        not_stored: NotStoredLog,
        size_limit: SizeLimit,
    ) -> None:
        """Store no response whose content is larger than `size_limit` allows."""
        self._store = store
        self._single_flight = single_flight
        self._clock = clock
        self._counters = counters
        self._not_stored = not_stored
        self._size_limit = size_limit
        self._uncompressed = UncompressedOrigins()
        self.entry_ids = entry_ids()
        """New ids for stored responses."""

    async def judge(
        self,
        request: Request,
        sent: UpstreamRequest,
        received: Received,
        policy: CachePolicy,
    ) -> Outcome:
        """Return the engine's decision about a response. Suspends only if its content is larger than usual.

        Args:
            request: The client's request.
            sent: The request that was sent to the origin for it.
            received: The head of the response.
            policy: The policy in force.
        """
        if sent.not_storable is None and not await self._size_limit.allows(_content_length(request, received.head)):
            sent = replace(sent, not_storable=NotStored.TOO_LARGE)
        return self.judge_at_once(request, sent, received, policy)

    def judge_at_once(
        self, request: Request, sent: UpstreamRequest, received: Received, policy: CachePolicy
    ) -> Outcome:
        """Return the decision as `judge` does, if the size of the content is known to be usual."""
        self._uncompressed.note(sent.request, received.head, policy)
        outcome = engine.on_response(request, sent, received, policy, next(self.entry_ids))
        if isinstance(outcome, Relay) and self._not_stored.examples.wants(outcome.not_stored):
            self._not_stored.examples.add(outcome.not_stored, request.method, target_uri(request), received)
        return outcome

    async def carry_out(self, request: Request, outcome: Outcome, flight: Flight) -> None:
        """Do all that an outcome asks for, except moving content: count it, release waiting requests, change the store.

        `flight` is the fetch that brought it.
        """
        if isinstance(outcome, Store | Relay):
            self.conclude(request.method, outcome, flight)
            self._counters.count_each(counters_of(request, outcome, request.authority))
            if isinstance(outcome, Relay) and outcome.not_stored is NotStored.TOO_LARGE:
                head = outcome.response.head
                await self._size_limit.note_too_large(
                    target_uri(request), declared_length(head) or 0, whole=head.status == 200
                )
        await self.apply(outcome.changes, flight)

    def conclude(self, method: str, outcome: Store | Relay, flight: Flight) -> None:
        """Let requests that wait for a response share it, or go to the origin themselves; note why they may not.

        `method` is that of the request.
        """
        if isinstance(outcome, Store):
            self._single_flight.clear_hit_for_pass(flight)
            self._not_stored.stored(method, flight.key)
            return
        now = self._clock()
        failed = outcome.response.head.status >= 500
        seconds = HIT_FOR_PASS_AFTER_ERROR_SECONDS if failed else HIT_FOR_PASS_SECONDS
        self._single_flight.mark_hit_for_pass(flight, now, seconds)
        if outcome.handling is not None:
            note = NotStoredNote(now, outcome.not_stored, outcome.handling.fwd_status)
            self._not_stored.relayed(method, flight.key, note)
        flight.end(FlightResult.NOT_SHARED)

    async def apply(self, changes: tuple[Change, ...], flight: Flight | None = None) -> None:
        """Apply changes to stored responses, and mark fetches under way except the `flight` that brought them."""
        if not changes:
            return
        for change in changes:
            if isinstance(change, Invalidate):
                self._single_flight.mark_invalidated(change.key, but=flight)
        await self._store.apply(changes)
        if flight is not None:
            flight.changed_elsewhere = None  # the change was its own


def _content_length(request: Request, head: Response) -> int:
    """Return how many bytes of content a response declares for itself."""
    # RFC 9110 §8.6: in these responses, Content-Length is that of the response to a GET
    return 0 if request.method == "HEAD" or head.status == 304 else declared_length(head) or 0


def counters_of(request: Request, outcome: Store | Relay, host: str) -> tuple[CounterName, ...]:
    """Return the names of the counters that a response which is passed on adds to; `host` is counted for it."""
    not_stored = outcome.not_stored if isinstance(outcome, Relay) else None
    return (
        *response_counters(request.scheme, outcome.handling, outcome.response.exemption, not_stored),
        *host_counters(host, outcome.handling, not_stored),
    )
