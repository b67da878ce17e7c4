"""The origins that are left alone because they do not answer, and the requests that try them again.

One request a second tries an origin. If it accepts connections, only some of its resources may hang, so that every
other request may try it too, except one like it that has just done so.
"""

from __future__ import annotations

import logging
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from addon.origin.errors import FailureKind, OriginFailure
from cache.engine.explain_failure import KnownFailure
from cache.http.host_filter import host_and_port
from cache.http.messages import Request
from cache.policy.operator_rules import ANYTHING

logger = logging.getLogger(__name__)

NO_ANSWER = frozenset(
    {
        FailureKind.DNS_ERROR,
        FailureKind.DNS_TIMEOUT,
        FailureKind.DESTINATION_IP_UNROUTABLE,
        FailureKind.CONNECTION_TIMEOUT,
        FailureKind.CONNECTION_READ_TIMEOUT,
    }
)
"""Failures that mean that the origin cannot be reached. A client may have to wait long for each of them."""

UNDECIDED = frozenset(
    {
        FailureKind.DESTINATION_UNAVAILABLE,
        FailureKind.DESTINATION_IP_PROHIBITED,
        FailureKind.CONNECTION_LIMIT_REACHED,
        FailureKind.CONNECTION_WRITE_TIMEOUT,
        FailureKind.HTTP_REQUEST_ERROR,
        FailureKind.PROXY_CONFIGURATION_ERROR,
        FailureKind.PROXY_INTERNAL_ERROR,
    }
)
"""Failures that say nothing about the origin. After any other one, a refused connection for instance, it is there."""

NOT_OF_ORIGIN = frozenset({FailureKind.HTTP_REQUEST_ERROR, FailureKind.PROXY_INTERNAL_ERROR})
"""Failures of the client or of this proxy itself."""

MAX_FAILURES = 2
"""Failures without a response in between, after which an origin is left alone."""

TRIAL_INTERVAL = 1.0
"""Seconds between two requests that try an origin which is left alone. An earlier one may still be waiting."""

MAX_ORIGINS = 256
"""Number of origins that are remembered. Requests for further ones are sent even if the origin does not answer."""

MAX_ANSWERED = 1024
"""Number of origins of which the time of the latest response is known."""

MAX_TARGETS = 1024
"""Number of methods and targets of one origin of which is known when they were tried."""

FORGET_AFTER = 600.0
"""Seconds after which an origin is forgotten if there were no requests for it."""


@dataclass(slots=True)
class _Record:
    """An origin that has failed: what is known about it, with times in seconds since the epoch."""

    used_at: float
    """The last failure, trial or response."""
    failures: int = 0
    """Failures since the last response."""
    tried_at: float = -math.inf
    left_alone: bool = False
    renewed: bool = False
    """A trial has asked for new connections since it is left alone."""
    connected_at: float = -math.inf
    """The beginning of the latest attempt that got a connection."""
    not_connected_at: float = -math.inf
    """The beginning of the latest attempt that got none."""
    targets: dict[tuple[str, str], float] = field(default_factory=dict)
    """The times at which each method and target last failed or was tried, in their order."""

    @property
    def accepts_connections(self) -> bool:
        return self.connected_at > self.not_connected_at

    def note_target(self, request: Request, now: float) -> None:
        target = (request.method, request.target)
        self.targets.pop(target, None)
        if len(self.targets) >= MAX_TARGETS:
            del self.targets[next(iter(self.targets))]
        self.targets[target] = now


class Reachability:
    """The origins that do not answer. `on_change` gets those that are left alone, whenever this set changes.

    Only exchanges that failed count, so an origin that accepts connections and then hangs is recognised, too.
    """

    def __init__(self, on_change: Callable[[frozenset[str]], None], clock: Callable[[], float]) -> None:
        """Start with no origins. `clock` returns seconds since the epoch."""
        self._on_change = on_change
        self._clock = clock
        self._records: dict[str, _Record] = {}
        self._answered_at: dict[str, float] = {}
        self._failures: dict[str, KnownFailure] = {}
        self.not_reached = Counter[str]()
        """The number of connections that failed, by origin; the first MAX_ORIGINS origins are counted."""

    @property
    def unreachable(self) -> frozenset[str]:
        """Return the origins that are left alone, each as in `Request.origin`."""
        return frozenset(origin for origin, record in self._records.items() if record.left_alone)

    @property
    def failing(self) -> Mapping[str, KnownFailure]:
        """Return the latest failures of the origins whose latest exchange has failed."""
        return self._failures

    def latest_failure(self, origin: str) -> KnownFailure | None:
        """Return the latest exchange with an origin if it has failed and is still known."""
        return self._failures.get(origin)

    def expected_failure(self, request: Request) -> KnownFailure | None:
        """Return the latest exchange with the origin of a request, if it has failed and this one would fail like it.

        An origin that sends something cannot be judged by a response to another URL.
        """
        failure = self._failures.get(request.origin)
        if failure and (failure.disconnected or failure.error in NO_ANSWER or failure.uri == request.uri):
            return failure
        return None

    def failed(self, request: Request, failure: OriginFailure, began: float) -> None:
        """Note that an attempt failed which began at `began`, in seconds since the epoch."""
        if failure.disconnected and (request.origin in self.not_reached or len(self.not_reached) < MAX_ORIGINS):
            self.not_reached[request.origin] += 1
        self._note_failure(request.origin, request.uri, failure)
        if failure.kind in UNDECIDED or failure.others_up:
            return
        if failure.kind not in NO_ANSWER:
            self._is_there(request.origin)
            return
        now = self._clock()
        record = self._record(request.origin, now)
        # a response that came meanwhile proves more: one resource may hang while others answer
        if record is None or began < self._answered_at.get(request.origin, -math.inf):
            return
        record.used_at = now
        record.failures += 1
        if failure.kind is FailureKind.CONNECTION_READ_TIMEOUT:
            record.connected_at = max(record.connected_at, began)
            record.note_target(request, now)
        else:
            record.not_connected_at = max(record.not_connected_at, began)
        if record.failures >= MAX_FAILURES and not record.left_alone:
            logger.warning("%s does not answer, and is asked only once a second: %s", request.origin, failure.detail)
            record.left_alone, record.tried_at = True, now
            self._on_change(self.unreachable)

    def _note_failure(self, origin: str, uri: str, failure: OriginFailure) -> None:
        if failure.kind in NOT_OF_ORIGIN or failure.others_up:
            return
        self._failures.pop(origin, None)
        if len(self._failures) >= MAX_ORIGINS:
            del self._failures[next(iter(self._failures))]
        self._failures[origin] = KnownFailure(
            error=failure.kind,
            sentence=failure.detail,
            disconnected=failure.disconnected,
            at=self._clock(),
            uri=uri,
            parameters=failure.parameters,
        )

    def connected(self, request: Request) -> None:
        """Note that an origin has accepted a new connection. It may still hang."""
        if record := self._records.get(request.origin):
            record.connected_at = self._clock()

    def reached(self, request: Request) -> bool:
        """Note that an origin sent a response. Return whether it was left alone until now."""
        if self._failures:
            self._failures.pop(request.origin, None)
        return self._is_there(request.origin)

    def _is_there(self, origin: str) -> bool:
        """Note that an origin is there, even if it refuses connections. Return whether it was left alone until now."""
        self._answered_at.pop(origin, None)
        if len(self._answered_at) >= MAX_ANSWERED:
            del self._answered_at[next(iter(self._answered_at))]
        self._answered_at[origin] = self._clock()
        record = self._records.pop(origin, None) if self._records else None
        if record is None or not record.left_alone:
            return False
        logger.warning("%s answers again", origin)
        self._on_change(self.unreachable)
        return True

    def may_try(self, request: Request) -> bool:
        """Return whether a request may be sent to an origin that is left alone. If so, it is the trial.

        The time decides, not the end of the trial before: that one may hang although the origin answers again.
        """
        if not self.is_turn(request):
            return False
        now = self._clock()
        if record := self._records.get(request.origin):
            record.tried_at = record.used_at = now
            record.note_target(request, now)
        return True

    def is_turn(self, request: Request) -> bool:
        """Return whether a request would be the trial if it came now."""
        record = self._records.get(request.origin)
        return record is None or self._clock() - record.tried_at >= TRIAL_INTERVAL

    def may_try_as_well(self, request: Request) -> bool:
        """Return whether a request may be sent to an origin that is left alone although it is not its turn.

        Else one client whose requests hang could take each turn, and the origin from all others.
        """
        if not self.is_admitted_as_well(request):
            return False
        now = self._clock()
        if record := self._records.get(request.origin):
            record.used_at = now
            record.note_target(request, now)
        return True

    def is_admitted_as_well(self, request: Request) -> bool:
        """Return whether a request would be sent out of turn if it came now."""
        record = self._records.get(request.origin)
        if record is None:
            return True
        tried_at = record.targets.get((request.method, request.target), -math.inf)
        return record.accepts_connections and self._clock() - tried_at >= TRIAL_INTERVAL

    def needs_new_connections(self, request: Request) -> bool:
        """Return whether a trial must not use the present connections, which may be dead since an outage.

        If the origin accepts connections, only the first trial gets new ones: else they were unlimited.
        """
        record = self._records.get(request.origin)
        if record is None or (record.renewed and record.accepts_connections):
            return False
        record.renewed = True
        return True

    def try_again(self, hosts: re.Pattern[str] = ANYTHING) -> None:
        """Leave no origin of these hosts alone. Its latest failure stays known until it answers."""
        before = self.unreachable
        for origin in [each for each in self._records if hosts.fullmatch(_host_of(each))]:
            del self._records[origin]
        if self.unreachable != before:
            self._on_change(self.unreachable)

    def forget(self) -> None:
        """Forget everything: the clock was set, and all times are wrong."""
        self._answered_at.clear()
        self._failures.clear()
        self.try_again()

    def _record(self, origin: str, now: float) -> _Record | None:
        """Return the record of an origin, a new one if necessary; None if there are too many."""
        if record := self._records.get(origin):
            return record
        before = self.unreachable
        self._records = {each: kept for each, kept in self._records.items() if now - kept.used_at < FORGET_AFTER}
        if len(self._records) >= MAX_ORIGINS:
            expendable = next((each for each, kept in self._records.items() if not kept.left_alone), None)
            if expendable is None:
                return None
            del self._records[expendable]
        if self.unreachable != before:
            self._on_change(self.unreachable)
        return self._records.setdefault(origin, _Record(now))


def _host_of(origin: str) -> str:
    return host_and_port(origin.partition("://")[2])[0]
