"""Tells if a request is sent again after a failure."""

from __future__ import annotations

from addon.origin.errors import FailureKind, OriginFailure
from addon.origin.response_buffer import ResponseBuffer

IDEMPOTENT_METHODS = frozenset(
    (
        "ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY DELETE GET HEAD LABEL LINK MERGE MKACTIVITY MKCALENDAR MKCOL"
        " MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PRI PROPFIND PROPPATCH PUT QUERY REBIND REPORT SEARCH"
        " TRACE UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL"
    ).split()
)
"""The methods that the IANA registry of HTTP methods calls idempotent (RFC 9110 §9.2.2, §16.1)."""

MAX_REPETITIONS = 3
"""Times that a request is sent again."""


class Retries:
    """Decides for one request.

    Attributes:
        connection_was_closed: The request is repeated, because the origin closed a reused connection.
    """

    def __init__(self, method: str) -> None:
        self.connection_was_closed = False
        self._idempotent = method in IDEMPOTENT_METHODS
        self._repetitions = 0

    def may_repeat(self, failure: OriginFailure, response: ResponseBuffer, *, reused: bool) -> bool:
        """Return whether the request may be sent again after a failure, on a connection that was `reused` or not."""
        self._repetitions += 1
        if self._repetitions > MAX_REPETITIONS:
            return False
        if failure.unprocessed or failure.wants_http1:  # RFC 9113 §8.7
            self.connection_was_closed = False
            return True
        unanswered = failure.kind is FailureKind.CONNECTION_TERMINATED and not response.received
        once = not self.connection_was_closed
        self.connection_was_closed = reused and unanswered and self._idempotent and once  # RFC 9112 §9.3.1
        return self.connection_was_closed
