"""What may never be kept is passed on without ceremony.

An origin that forbids to store answers says so with most of what it sends. So a request with the same fields to the
same origin as one whose answer was forbidden to be stored, for which nothing is stored either, is sent on at once, and
a head that the origin repeats octet for octet is passed on as the engine had it before. The target takes no part in
either decision while nothing is stored under its key; whatever else comes back is left to the fetcher.
"""

from __future__ import annotations

from collections import OrderedDict

from addon.door.passage import Asker, Passage, Question
from addon.door.response_head import framing_of, head_octets
from addon.fetcher import Fetcher
from addon.statistics import Statistics
from cache import engine
from cache.decisions import Forward, Relay
from cache.flight import Flight
from cache.messages import Fields, Received, Request, Response
from cache.reasons import Forwarded, NotStored

FORBIDDEN = frozenset({NotStored.NO_STORE, NotStored.PRIVATE})
"""Reasons not to store that lie in what the origin says, whatever was asked."""

KEPT = 512
"""Questions that are remembered; the least recently asked goes first."""

HEADS = 16
"""Response heads that are remembered for each."""

Shape = tuple[str, str, str, int, Fields, str, str | None]


class Passing:
    """The questions whose answers may not be kept."""

    def __init__(self, fetcher: Fetcher, statistics: Statistics) -> None:
        self._fetcher = fetcher
        self._statistics = statistics
        self._questions: OrderedDict[Shape, Question] = OrderedDict()
        self._counts: dict[str, int] = {}

    def learn(self, request: Request) -> None:
        """Note that the answer to a request was forbidden to be stored."""
        policy, fetcher = self._fetcher.policy, self._fetcher
        known = self._questions.get(_shape(request))
        if known is not None and known.policy is policy:
            return
        if request.method != "GET" or policy.annotations or policy.query_rules or policy.no_vary_search:
            return
        sent = engine.on_request(request, (), policy, fetcher.clock())
        if not isinstance(sent, Forward) or sent.fwd is not Forwarded.URI_MISS or sent.detail or sent.not_storable:
            return
        pool = fetcher.origin.pool(request)
        if pool.route.proxy is not None:
            return
        octets = fetcher.origin.octets(sent.request)
        target = request.target.encode("latin-1")
        start, _, rest = octets.partition(b" " + target + b" ")
        self._questions[_shape(request)] = Question(policy, sent, pool, start + b" ", b" " + rest)
        if len(self._questions) > KEPT:
            self._questions.popitem(last=False)

    def begin(self, request: Request, key: str, now: float, asker: Asker) -> Passage | None:
        """Return a request that is to be sent on, `asker` to be told of its answer, or None where it is not for here.

        Nothing is stored under `key`; it is `now`, in seconds since the epoch.
        """
        question = self._questions.get(_shape(request))
        if question is None or question.policy is not self._fetcher.policy or self._is_awaited(key, now):
            return None
        connection = question.pool.at_hand()
        if connection is None:
            return None
        return Passage(self, question, request, key, now, connection, asker)

    def _is_awaited(self, key: str, now: float) -> bool:
        """Tell whether what somebody else is fetching may do for this request as well."""
        flights = self._fetcher.flights
        return flights.leader(key) is not None and not flights.is_unshared(key, now)

    def answer_of(self, passage: Passage, head: Response) -> tuple[bytes, Relay] | None:
        """Return how a head is passed on, or None where it says something else than that nothing may be stored."""
        question = passage.question
        known = question.heads.get(id(head))
        if known is not None and known[0] is head:
            return known[1], known[2]
        received = Received(head, passage.asked_at, self._fetcher.clock())
        outcome = self._fetcher.judged(passage.request, passage.sent, received)
        if not isinstance(outcome, Relay) or outcome.not_stored not in FORBIDDEN or outcome.changes:
            return None
        presented = outcome.answer.head
        # a Date of our own making would be another one a second later
        if not outcome.answer.has_content or presented.fields.get("date") != head.fields.get("date"):
            return None
        framing = framing_of(presented, "GET", passage.request.version, persistent=True)
        if framing.chunked or framing.close:
            return None
        octets = head_octets(presented, framing)
        if len(question.heads) >= HEADS:
            question.heads.clear()
        question.heads[id(head)] = head, octets, outcome
        return octets, outcome

    def flight(self, key: str) -> Flight:
        """Return a flight that others may wait for."""
        return self._fetcher.flights.begin(key, leads=True)

    def landed(self, passage: Passage, reason: NotStored, octets: int) -> None:
        """Let everybody go who waits for what may not be shared, and count."""
        flights, scheme = self._fetcher.flights, passage.request.scheme
        flights.note_unshared(passage.flight.key, passage.asked_at)
        flights.finish(passage.flight)
        counts = self._counts
        for name in (f"requests.{scheme}", f"not_stored.{reason}"):
            counts[name] = counts.get(name, 0) + 1
        counts["octets.from_origin"] = counts.get("octets.from_origin", 0) + octets

    def left(self, passage: Passage) -> None:
        """Let everybody go who waits for a passage that was left."""
        self._fetcher.flights.finish(passage.flight)

    def count(self) -> None:
        """Add to the statistics what was passed on."""
        counts, self._counts = self._counts, {}
        passed = sum(amount for name, amount in counts.items() if name.startswith("requests."))
        for name in ("requests", "origin.fetches", f"answers.{Forwarded.URI_MISS}", f"misses.{Forwarded.URI_MISS}"):
            counts[name] = passed
        for name, amount in counts.items():
            if amount:
                self._statistics.count(name, amount)


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
