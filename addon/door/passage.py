"""One request that passes without ceremony, on its way to the origin and back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from addon.access_log import access_line
from addon.asking import passed_on
from addon.origin.connection import OriginConnection
from addon.origin.exchange import Exchange
from addon.origin.incoming import MOMENT
from addon.origin.pool import OriginPool
from cache.cachestatus import Handling
from cache.decisions import Forward, Relay
from cache.messages import Request, Response
from cache.policy import CachePolicy
from cache.reasons import NotStored

if TYPE_CHECKING:
    from addon.door.passing import Passing


class Asker(Protocol):
    """What a passage needs of a client's connection."""

    def passed(self, head: bytes, content: bytes, line: Callable[[], str]) -> None:
        """Send an answer; `line` makes its line in the access log."""

    def not_passed(self, passage: Passage) -> None:
        """Answer by way of the fetcher: what came back is something else than last time, or nothing."""

    def pass_on(self, interim: Response) -> None:
        """Send an interim response."""


@dataclass(slots=True, eq=False)
class Question:
    """Requests that are alike but for their target, and what their answers have come to."""

    policy: CachePolicy
    sent: Forward
    pool: OriginPool
    start: bytes
    """The octets of the request before its target."""
    rest: bytes
    """The octets of the request behind its target."""
    heads: dict[int, tuple[Response, bytes, Relay]] = field(default_factory=dict)
    """By identity: an origin's head, how it is passed on, and why it is not stored."""


class Passage:
    """One request on its way through."""

    __slots__ = ("_asker", "_hurry", "_passing", "asked_at", "connection", "exchange", "flight", "question", "request")

    def __init__(
        self,
        passing: Passing,
        question: Question,
        request: Request,
        key: str,
        now: float,
        connection: OriginConnection,
        asker: Asker,
    ) -> None:
        self.question = question
        self.request = request
        self.connection = connection
        self.flight = passing.flight(key)
        self.asked_at = now
        self._passing = passing
        self._asker = asker
        self._hurry: asyncio.TimerHandle | None = None
        interim = None if request.version == "HTTP/1.0" else self._interim  # RFC 9110 §15.2
        self.exchange = Exchange("GET", question.pool.route.where, connection.options, interim)
        self.exchange.heard = self._heard

    def send(self) -> None:
        """Send the request."""
        question = self.question
        octets = question.start + self.request.target.encode("latin-1") + question.rest
        self.connection.send(octets, self.exchange)

    def leave(self) -> None:
        """Ask no further: the client is gone, and nobody else could have the answer."""
        self.exchange.heard = None
        self.connection.abandon(self.exchange)
        self._passing.left(self)

    def _interim(self, head: Response) -> None:
        self._asker.pass_on(passed_on(head))

    @property
    def sent(self) -> Forward:
        """Return what was sent forward."""
        sent = self.question.sent
        return replace(sent, request=replace(sent.request, target=self.request.target))

    def _heard(self) -> None:
        """Take what has come of the answer."""
        exchange = self.exchange
        if exchange.is_nearly_whole() or (exchange.head is None and exchange.failure is None):
            if exchange.head is not None and self._hurry is None:
                self._hurry = asyncio.get_running_loop().call_later(MOMENT, exchange.hurry)
            return
        if self._hurry is not None:
            self._hurry.cancel()
        exchange.heard = None
        answer = None
        if exchange.complete and exchange.head is not None and not exchange.trailers.lines:
            answer = self._passing.answer_of(self, exchange.head)
        if answer is None:
            self._asker.not_passed(self)
            return
        head, relay = answer
        content = exchange.whole() or b""
        reason = relay.not_stored or NotStored.NO_STORE
        self._passing.landed(self, reason, len(content))
        status, handling = relay.answer.head.status, relay.handling
        self._asker.passed(head, content, lambda: self._line(status, len(content), handling))

    def _line(self, status: int, octets: int, handling: Handling | None) -> str:
        return access_line(self.request, status, octets, handling)
