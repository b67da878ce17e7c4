"""Cache-Status: the handling of a request by this cache (RFC 9211)."""

from __future__ import annotations

from dataclasses import replace

from cache.http.messages import Fields, Response
from cache.http.record import record
from cache.policy.reasons import Forwarded, NotStored


@record
class Handling:
    """The handling of a request by this cache; `hit` and `fwd` exclude each other."""

    hit: bool = False
    """The response comes from the store; no request was forwarded (RFC 9211 §2.1)."""
    fwd: Forwarded | None = None
    """The reason to forward the request (RFC 9211 §2.2)."""
    fwd_status: int | None = None
    """The status of the origin's response, if there was one (RFC 9211 §2.3)."""
    stored: bool = False
    """The response was stored (RFC 9211 §2.5)."""
    collapsed: bool = False
    """The request shared the fetch of another request (RFC 9211 §2.6)."""
    ttl: int | None = None
    """Remaining seconds of freshness, negative if stale (RFC 9211 §2.4)."""
    detail: str | None = None
    """The name of a reason, a token (RFC 9211 §2.8)."""
    not_stored: NotStored | None = None
    """The reason why the origin's response is passed on and not stored."""

    @property
    def reason(self) -> str | None:
        """The name of the reason that says most: why the response is not stored, unless that is said already."""
        is_said = self.not_stored is NotStored.BYPASSED or self.fwd is Forwarded.METHOD
        return self.detail if self.not_stored is None or is_said else self.not_stored

    @property
    def is_miss(self) -> bool:
        """Return whether an origin had to send content that a copy could have given.

        Not a miss are methods that a cache does not answer, copies that the origin confirmed by a 304, and requests
        that shared a fetch: their number depends on timing.
        """
        return self.fwd not in (None, Forwarded.METHOD) and not self._is_confirmed and not self.collapsed

    @property
    def is_validated(self) -> bool:
        """Return whether the response is a copy that the origin has just confirmed, and that is not stale."""
        is_answered = self.fwd not in (None, Forwarded.METHOD, Forwarded.BYPASS)
        return is_answered and self._is_confirmed and (self.ttl or 0) >= 0

    @property
    def _is_confirmed(self) -> bool:
        return self.fwd_status == 304 and self.fwd is not Forwarded.URI_MISS


def member(cache_name: str, handling: Handling, sent_status: int) -> str:
    """Return this cache's member of Cache-Status, with `fwd-status` only if it differs from `sent_status`."""
    parts = [cache_name]
    if handling.hit:
        parts.append("hit")
    if handling.fwd:
        parts.append(f"fwd={handling.fwd}")
    if handling.fwd_status not in (None, sent_status):
        parts.append(f"fwd-status={handling.fwd_status}")
    if handling.stored:
        parts.append("stored")
    if handling.collapsed:
        parts.append("collapsed")
    if handling.ttl is not None:
        parts.append(f"ttl={handling.ttl}")
    if handling.reason:
        parts.append(f"detail={handling.reason}")
    return "; ".join(parts)


def without_stored(head: Response, detail: str | None) -> Response:
    """Return a head whose Cache-Status, in its last line, says that the response was not stored, and why.

    `detail` is the name of the reason; None to leave the detail as it is.
    """
    *lines, (name, value) = head.fields.lines
    if name != "Cache-Status":  # it is switched off
        return head
    parts = [part for part in value.split("; ") if part != "stored"]
    if detail is not None:
        parts = [*(part for part in parts if not part.startswith("detail=")), f"detail={detail}"]
    return replace(head, fields=Fields((*lines, (name, "; ".join(parts)))))
