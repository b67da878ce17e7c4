"""Stored responses as JSON has them, for the command line and for the admin API."""

from __future__ import annotations

from addon.pipeline.stored_description import compared, freshness_state
from cache.engine import preview
from cache.engine.time_line import TimeLine, time_line
from cache.http.fields import imf_date
from cache.http.messages import Fields, Response
from cache.policy.cache_policy import CachePolicy
from cache.rules.freshness import current_age, freshness_lifetime
from cache.rules.key import request_for
from cache.rules.stored_response import StoredResponse


def listed(entry: StoredResponse, used: float | None, policy: CachePolicy, now: float) -> dict[str, object]:
    """Return one line of a list. `used` is when it last answered a request; like `now`, in seconds since the epoch."""
    return {
        "url": entry.key,
        "method": entry.method,
        "status": entry.head.status,
        "age": int(current_age(entry, policy, now)),
        "lifetime": freshness_lifetime(entry, policy).seconds,
        "state": freshness_state(entry, policy, now),
        "size": entry.length,
        "stored_at": entry.stored_at,
        "last_used": used,
        "sha256": entry.sha256,
    }


def shown(entry: StoredResponse, policy: CachePolicy, now: float) -> dict[str, object]:
    """Return everything about a response: as the origin sent it, and as a client would get it at `now`."""
    presented = preview(entry, policy, now)
    lifetime = freshness_lifetime(entry, policy)
    line = time_line(entry, policy.towards(request_for(entry.target)), now)  # its host may be offline
    return {
        "url": entry.key,
        "method": entry.method,
        "state": freshness_state(entry, policy, now),
        "age": int(current_age(entry, policy, now)),
        "lifetime": lifetime.seconds,
        "lifetime_source": lifetime.source,
        "stored_at": entry.stored_at,
        "size": entry.length,
        "sha256": entry.sha256,
        "scrubbed": entry.scrubbed,
        "vary": dict(entry.vary),
        "time_line": described_line(line),
        "definitive": _head(entry.head),
        "presented": _head(presented),
        "difference": [
            {"name": line.name, "definitive": line.definitive, "presented": line.presented}
            for line in compared(entry.head, presented)
            if line.mark != " "
        ],
    }


def described_line(line: TimeLine) -> dict[str, object]:
    """Return a time line as JSON has it. Times are in seconds since the epoch."""
    return {
        "now": line.now,
        "made_at": line.made_at,
        "stored_at": line.stored_at,
        "segments": [
            {"use": str(each.use), "start": each.start, "end": each.end, "source": each.source}
            for each in line.segments
        ],
        "validate": line.validate and str(line.validate),
    }


def capture(entry: StoredResponse) -> dict[str, object]:
    """Return one state of a response, as it was stored at some time."""
    return {
        "url": entry.key,
        "method": entry.method,
        "status": entry.head.status,
        "captured_at": entry.stored_at,
        "memento_datetime": imf_date(entry.stored_at),
        "size": entry.length,
        "sha256": entry.sha256,
        "vary": dict(entry.vary),
    }


def _head(head: Response) -> dict[str, object]:
    return {"status": head.status, "reason": head.reason, "fields": _lines(head.fields)}


def _lines(fields: Fields) -> list[list[str]]:
    return [[name, value] for name, value in fields]
