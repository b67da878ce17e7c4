"""A response, as the access log and the metrics know it."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

from addon.config.redaction import redaction
from addon.origin.exchange_times import ExchangeTimes
from cache.answer.cache_status import Handling
from cache.http.messages import Request
from cache.http.record import record

UNPARSED_REQUEST = ""
"""The request line of a request that could not be parsed."""


@record
class LoggedResponse:
    """A response, as far as it is the same for equal requests."""

    status: int
    size: int
    """Bytes of content that the client got."""
    request: Request | None = None
    """The request, if it was understood."""
    line: str = UNPARSED_REQUEST
    """The request line in place of that of `request`, a result of `request_line`."""
    handling: Handling | None = None
    """The part that the cache had in it; None for errors of this proxy's own."""
    refused: str | None = None
    """The reason for such an error."""
    is_tunnel: bool = False

    @property
    def request_line(self) -> str:
        """The request line; empty if the request could not be parsed."""
        request = self.request
        return self.line or (request_line(request.method, request.uri, request.version) if request is not None else "")

    @property
    def decision(self) -> str:
        """The decision of the cache; empty if it had no part in the response."""
        if self.handling is not None:
            return "hit" if self.handling.hit else str(self.handling.fwd)
        return "tunnel" if self.is_tunnel else "refused" if self.refused else ""

    @property
    def reason(self) -> str:
        """The name of the reason that says most about the decision; empty if there is none."""
        return (self.handling.reason if self.handling is not None else self.refused) or ""

    @property
    def result(self) -> str:
        """The decision, with the reason why a response was not stored; empty for errors of this proxy's own."""
        handling = self.handling
        if handling is None:
            return "tunnel" if self.is_tunnel else ""
        stored_not = handling.not_stored and handling.reason
        return f"{self.decision}/{handling.reason}" if stored_not else self.decision


@dataclass(slots=True)
class Sending:
    """The sending of one response: what differs between equal ones."""

    at: float
    """The time at which it was sent, in seconds since the epoch."""
    client: str
    """The client's address."""
    seconds: float = 0.0
    """The time since the request's head was there."""
    upstream: ExchangeTimes | None = None
    """The times of the origin, if it was asked."""
    transport: asyncio.BaseTransport | None = None
    """The client's connection, if it is known."""
    tls: tuple[str | None, str | None] = (None, None)
    """Version and cipher of the client's TLS, if `transport` does not tell them."""
    id: str = ""
    """The id of the request; a new one is made when it is asked for."""

    def request_id(self) -> str:
        """Return the id of the request."""
        self.id = self.id or new_request_id()
        return self.id


def new_request_id() -> str:
    """Return 32 hexadecimal digits that no other request has."""
    return f"{random.getrandbits(128):032x}"  # need not be secret, and is made for each line


def request_line(method: str, target: str, version: str) -> str:
    """Return a request line as it is logged: the query is hidden."""
    return f"{method} {redaction.target(target)} {version}"
