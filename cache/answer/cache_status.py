"""Cache-Status (RFC 9211): what this cache did, in one list member."""

from __future__ import annotations

from dataclasses import dataclass

from cache.policy.reasons import Forwarded


@dataclass(frozen=True, slots=True)
class Handling:
    """How this cache handled a request; `hit` and `fwd` exclude each other."""

    hit: bool = False
    """Answered from what is stored, nobody asked (RFC 9211 §2.1)."""
    fwd: Forwarded | None = None
    fwd_status: int | None = None
    """The status the origin gave, where it gave one."""
    stored: bool = False
    collapsed: bool = False
    ttl: int | None = None
    """Seconds of freshness left, negative when stale."""
    detail: str | None = None
    """The name of a reason: always a token (RFC 9211 §2.8)."""

    @property
    def is_miss(self) -> bool:
        """Tell whether an origin's content was needed that a copy could have been.

        Not where the method is none that a cache answers, nor where an origin confirmed the copy (304), nor for who
        joined another one's fetch: how many do is a matter of time.
        """
        confirmed = self.fwd_status == 304 and self.fwd is not Forwarded.URI_MISS
        return self.fwd not in (None, Forwarded.METHOD) and not confirmed and not self.collapsed


def member(cache_name: str, handling: Handling, sent_status: int) -> str:
    """Return this cache's member of Cache-Status; the origin's status is told only if it is not the one sent."""
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
    if handling.detail:
        parts.append(f"detail={handling.detail}")
    return "; ".join(parts)
