"""Asks the origin, and obeys what the engine makes of its answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from uuid import uuid4

from addon.origin import Origin, OriginAnswer, OriginFailure
from addon.replies import Replies
from addon.reply import Reply, Stream
from addon.statistics import Statistics
from addon.stored import StoredResponses
from addon.storing import Storing, declared_length
from cache import engine
from cache.authority import refusal
from cache.decisions import Change, Freshen, Invalidate, Refuse, Relay, Retry, Sent, Serve, Store, Validate
from cache.flight import Ending, Flight, Flights
from cache.key import primary_key
from cache.messages import Received, Request
from cache.policy import CachePolicy
from cache.reasons import NotStored, Refused
from cache.stores.base import StoreError

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 4
"""Exchanges that may come to nothing (a 304 that fits nobody, a damaged copy) before a request is given up."""


class Fetcher:
    """One policy, one store, one way to the origins."""

    def __init__(
        self,
        stored: StoredResponses,
        origin: Origin,
        policy: CachePolicy,
        clock: Callable[[], float],
        statistics: Statistics,
        max_object: int,
    ) -> None:
        self.stored = stored
        self.policy = policy
        self.clock = clock
        self.flights = Flights()
        self.replies = Replies(stored, statistics)
        self._origin = origin
        self._statistics = statistics
        self._max_object = max_object
        self._storing: set[asyncio.Task[None]] = set()

    async def fetch(self, request: Request, sent: Sent, *, leads: bool = False) -> Reply:
        """Return the reply that asking the origin leads to; requests for the same key may wait if it `leads`."""
        flight = self.flights.begin(primary_key(request), leads=leads)
        with ExitStack() as landing:
            landing.callback(self.flights.finish, flight)
            for _ in range(MAX_ATTEMPTS):
                result = await self._attempt(request, sent, flight, landing)
                if isinstance(result, Reply):
                    return result
                sent = result
        sentence = f"{request.uri} came to nothing {MAX_ATTEMPTS} times."
        return self._error(502, Refused.GAVE_UP, sentence, "http_protocol_error")

    async def _attempt(self, request: Request, sent: Sent, flight: Flight, landing: ExitStack) -> Reply | Sent:
        """Ask once. Return the reply, or what is to be asked instead."""
        try:
            arriving = await self._ask(sent)
        except OriginFailure as failure:
            return await self._without_origin(request, sent, self._failed(request, sent, failure), flight)
        except ValueError as error:
            return self.malformed(str(error))
        received = Received(arriving.head, arriving.request_time, arriving.response_time)
        outcome = self.judged(request, sent, received)
        match outcome:
            case Store():
                await self.apply(outcome.changes)
                return await self._store(request, outcome, arriving, flight, landing)
            case Relay():
                await self.apply(outcome.changes)
                return await self.replies.relay(request, outcome, arriving)
            case Retry():
                await arriving.close()
                await self.apply(outcome.changes)
                return outcome.sent
            case Freshen() | Serve() | Refuse():
                await arriving.close()
                return await self._without_origin(request, sent, outcome, flight)

    async def _ask(self, sent: Sent) -> OriginAnswer:
        self._statistics.count("origin.fetches")
        if isinstance(sent, Validate):
            self._statistics.count("origin.validations")
        return await self._origin.fetch(sent.request)

    def _failed(self, request: Request, sent: Sent, failure: OriginFailure) -> Serve | Refuse:
        self._statistics.count(f"failures.{failure.kind}")
        logger.info("%s: %s", request.uri, failure.detail)
        return engine.on_failure(
            request, sent, failure.kind, failure.detail, self.policy, self.clock(), disconnected=failure.disconnected
        )

    def judged(
        self, request: Request, sent: Sent, received: Received, held: int | None = None
    ) -> Store | Freshen | Relay | Serve | Retry | Refuse:
        """Return what the engine makes of an answer.

        Args:
            request: The client's.
            sent: What was sent forward for it.
            received: The answer's head.
            held: Where the content must be held in memory to be stored, how many octets of it at most.
        """
        length = declared_length(received.head)
        unbounded = held is not None and (length is None or length > held)
        if sent.not_storable is None and (unbounded or (length or 0) > self._max_object):
            sent = replace(sent, not_storable=NotStored.TOO_LARGE)
        return engine.on_response(request, sent, received, self.policy, uuid4().hex)

    async def _without_origin(
        self, request: Request, sent: Sent, outcome: Freshen | Serve | Refuse, flight: Flight
    ) -> Reply | Sent:
        """Return the reply that needs nothing more of the origin, or the same question without damaged copies."""
        if isinstance(outcome, Refuse):
            await self.apply(outcome.changes)
            return self.replies.refuse(outcome)
        try:
            reply = await self.replies.copy(request, outcome)
        except StoreError:
            return engine.without_copies(sent)
        # only now that the copy is open: the change may be its deletion
        await self.apply(outcome.changes)
        if isinstance(outcome, Freshen):
            flight.end(Ending.STORED)
        return reply

    async def _store(
        self, request: Request, outcome: Store, arriving: OriginAnswer, flight: Flight, landing: ExitStack
    ) -> Reply:
        writer = await self.stored.writer()
        if writer is None:
            unstored = replace(outcome.handling, stored=False)
            return await self.replies.relay(request, Relay(outcome.answer, NotStored.STORE_FAILED, unstored), arriving)
        if not outcome.answer.has_content:
            await self.replies.drain(request, outcome.answer.head.status, arriving)
        storing = Storing(arriving, outcome, writer, flight, self.stored, self._statistics, self._max_object)
        task = asyncio.get_running_loop().create_task(storing.run())
        self._storing.add(task)
        landed = landing.pop_all()
        task.add_done_callback(self._storing.discard)
        task.add_done_callback(lambda _: landed.close())
        self.replies.count(request, outcome.handling, outcome.answer.exemption)
        if not outcome.answer.has_content:
            await storing.leave()
            await task  # the reply is over with its head, so the store must have it by then
            return Reply(outcome.answer.head, b"", outcome.handling)
        return Reply(outcome.answer.head, Stream(storing.octets(), storing.leave), outcome.handling)

    def _error(self, status: int, reason: Refused, sentence: str, error: str) -> Reply:
        return self.replies.refuse(Refuse(refusal(status, reason, sentence, self.policy, self.clock(), error), reason))

    async def keep(self, outcome: Store, content: bytes) -> None:
        """Store a response whose content is already whole; a store that cannot is logged."""
        writer = await self.stored.writer()
        if writer is None:
            return
        async with self.stored.commits:
            try:
                await self.stored.run(writer.write, content)
                reason = await self.stored.commit(writer, outcome.entry, outcome.replaces)
            except StoreError:
                reason = NotStored.STORE_FAILED
            if reason:
                await self.stored.run(writer.abort)
                self._statistics.count(f"not_stored.{reason}")

    def malformed(self, sentence: str) -> Reply:
        """Return the error that stands for a request which nobody should believe."""
        return self._error(400, Refused.MALFORMED_REQUEST, sentence, "http_request_error")

    def failed(self, failure: OriginFailure) -> Reply:
        """Return the error that stands for an answer which broke off before anything of it was sent."""
        return self._error(engine.status_of_failure(failure.kind), Refused.FETCH_FAILED, failure.detail, failure.kind)

    async def apply(self, changes: tuple[Change, ...]) -> None:
        """Carry out what an answer says about stored responses, and about those that are on their way."""
        for change in changes:
            if isinstance(change, Invalidate):
                self.flights.outdate(change.key)
        await self.stored.apply(changes)

    async def purge(self, purged: Callable[[str], bool], delete: Callable[[], int]) -> int:
        """Delete from the store, and keep what is under way for the same keys from being stored afterwards.

        Args:
            purged: Tells whether a primary key is among those purged.
            delete: Deletes them; called on a store thread.

        Returns:
            How many stored responses were deleted.

        Raises:
            StoreError: the store could not delete them.
        """
        async with self.stored.commits:
            self.flights.overtake(purged)
            return await self.stored.run(delete)

    async def settled(self, patience: float) -> None:
        """Wait until what is on its way is stored, at most so many seconds."""
        if self._storing:
            await asyncio.wait(self._storing, timeout=patience)

    async def close(self) -> None:
        """Stop storing what is still on its way, and close the connections to origins."""
        for task in self._storing:
            task.cancel()
        await asyncio.gather(*self._storing, return_exceptions=True)
        await self._origin.close()
