"""Writes into a flow how the cache handled it: a comment, a mark and metadata, for the user of mitmproxy.

All of it is plain text and numbers, so that flows can be saved, loaded and filtered (`~comment`, `~meta`, `~marked`).
"""

from __future__ import annotations

from mitmproxy import http

from addon.pipeline.reply import Reply
from cache.answer.cache_status import Handling
from cache.http.fields import delta_seconds
from cache.http.messages import Request
from cache.policy.reasons import Forwarded, NotStored
from cache.rules.key import primary_key

STALE_MARK = ":hourglass:"
"""mitmproxy's name of the symbol for a flow that was answered from a stale copy."""

DECISION, REASON, AGE, KEY = "secondhand.decision", "secondhand.reason", "secondhand.age", "secondhand.key"
"""Names in a flow's metadata."""

_COMMENT = "secondhand.comment"
"""The comment that the cache wrote, by which it knows its own again."""


def note(flow: http.HTTPFlow, request: Request, reply: Reply) -> None:
    """Write into a flow how the cache took part in it. A comment or a mark that somebody else set stays."""
    age = delta_seconds(reply.head.fields.get("age") or "") or 0
    decision, reason, text = _described(reply, age)
    metadata = flow.metadata
    metadata[DECISION], metadata[KEY] = decision, primary_key(request)
    if reason:
        metadata[REASON] = str(reason)  # plain text, not a member of an enumeration
    if decision in ("hit", "validated", "shared"):
        metadata[AGE] = age
    if not flow.comment:
        flow.comment = metadata[_COMMENT] = text
    if not flow.marked and reply.handling and reply.handling.hit and (reply.handling.ttl or 0) < 0:
        flow.marked = STALE_MARK


def note_aside(flow: http.HTTPFlow, why: str) -> None:
    """Write into a flow why the cache takes no part in it."""
    flow.metadata[DECISION], flow.metadata[REASON] = "aside", why


def note_not_stored(flow: http.HTTPFlow, reason: NotStored) -> None:
    """Write into a flow why its response was not stored after all."""
    if flow.comment and flow.comment == flow.metadata.get(_COMMENT):
        flow.comment = flow.metadata[_COMMENT] = f"miss: {reason}"
    flow.metadata[REASON] = str(reason)


def forget(flow: http.HTTPFlow) -> None:
    """Remove what `note` wrote, from a flow that is sent once more."""
    if flow.comment and flow.comment == flow.metadata.get(_COMMENT):
        flow.comment = ""
    if DECISION in flow.metadata and flow.marked == STALE_MARK:
        flow.marked = ""
    for name in (DECISION, REASON, AGE, KEY, _COMMENT):
        flow.metadata.pop(name, None)


def _described(reply: Reply, age: int) -> tuple[str, str, str]:
    """Return the decision, its reason or an empty string, and the comment."""
    handling = reply.handling
    if handling is None:
        if reply.refused:
            return "refused", reply.refused, f"refused: {reply.refused}"
        return "miss", "method", "miss: method"
    if handling.hit:
        return "hit", handling.detail or "", ", ".join(("hit", f"{_time(age)} old", _freshness(handling)))
    if handling.collapsed:
        return "shared", handling.fwd or "", f"hit, shared with another request, {_time(age)} old"
    if handling.fwd_status == 304 and handling.fwd is not Forwarded.URI_MISS and reply.head.status != 304:
        return "validated", handling.detail or handling.fwd or "", f"hit, confirmed by the origin, {_time(age)} old"
    if handling.ttl is not None:
        return "hit", handling.detail or "", f"hit in place of an error of the origin, {_time(age)} old"
    if handling.stored:
        return "miss", handling.detail or handling.fwd or "", "miss, stored"
    reason = handling.not_stored or handling.detail or handling.fwd or ""
    return "miss", reason, f"miss: {reason}"


def _freshness(handling: Handling) -> str:
    why = f" ({handling.detail})" if handling.detail else ""
    if handling.ttl is None:
        return f"fresh{why}"
    if handling.ttl < 0:
        return f"stale for {_time(-handling.ttl)}{why}"
    return f"fresh for {_time(handling.ttl)}{why}"


def _time(seconds: int) -> str:
    """Return a time in its largest unit: `7 s`, `10 min`."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
