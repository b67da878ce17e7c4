"""Tells if a request that failed at one origin of a site is sent to another one."""

from __future__ import annotations

from addon.origin.errors import OriginFailure
from addon.origin.retries import IDEMPOTENT_METHODS


class Failover:
    """Decides for one request.

    As long as nothing was sent, the next origin is tried, whatever the request is. After that, one more origin is tried
    if the method is idempotent (RFC 9110 §9.2.2), the request has no content, and no byte of a response has come.

    Attributes:
        sent: The request was sent, at least in part.
        received: A byte of its response has come.
    """

    def __init__(self, method: str, *, has_content: bool) -> None:
        self.sent = False
        self.received = False
        self._may_repeat = method in IDEMPOTENT_METHODS and not has_content

    def allows(self, failure: OriginFailure) -> bool:
        """Return whether the request may be sent to another origin after a failure."""
        if not self.sent or failure.unprocessed:
            self.sent = False
            return True
        if self.received or not self._may_repeat:
            return False
        self.sent = self._may_repeat = False
        return True
