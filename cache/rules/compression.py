"""Compression: the stored responses of which this cache makes coded forms."""

from __future__ import annotations

from cache.http.fields import media_type, tokens
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import NotCompressed
from cache.rules.freshness import date_of, origin_lifetime
from cache.rules.ownership import API_KEY, COOKIE, CREDENTIAL
from cache.rules.stored_response import StoredResponse
from cache.rules.streams import is_stream

MAX_COMPRESSED = 33_554_432
"""Bytes of the longest body that is compressed, since it is held in memory."""

MAX_SHARE = 0.9
"""A form that is longer than this share of the body is not worth storing."""

_OF_THE_BYTES = frozenset({"content-digest", "repr-digest", "digest", "content-md5", "signature", "signature-input"})
"""Fields that would be wrong beside other bytes, or other fields (RFC 9530 §2, §3, RFC 9421 §2)."""


def reason_not_to_compress(entry: StoredResponse, policy: CachePolicy) -> NotCompressed | None:
    """Return why no coded forms of a stored response are made, or None if they are."""
    return (
        _refused_by_kind(entry, policy)
        or _refused_by_fields(entry, policy)
        or _refused_by_content(entry, policy)
        or (NotCompressed.PERSONAL if _is_personal(entry, policy) else None)
    )


def _refused_by_kind(entry: StoredResponse, policy: CachePolicy) -> NotCompressed | None:
    if policy.recording is not None or policy.storing.captures > 1:
        return NotCompressed.KEPT_AS_RECEIVED
    if entry.method != "GET" or entry.head.status != 200 or ("*", None) in entry.vary:
        return NotCompressed.STATUS
    return NotCompressed.PARTIAL if entry.complete_length is not None else None


def _refused_by_fields(entry: StoredResponse, policy: CachePolicy) -> NotCompressed | None:
    fields = entry.head.fields
    if "content-encoding" in fields:
        return NotCompressed.CODED
    # RFC 9110 §7.7, RFC 9111 §5.2.2.6
    if any("no-transform" in tokens(fields.get(name)) for name in ("cache-control", *policy.targeted_fields)):
        return NotCompressed.NO_TRANSFORM
    return None if _OF_THE_BYTES.isdisjoint(fields.names()) else NotCompressed.DIGEST


def _refused_by_content(entry: StoredResponse, policy: CachePolicy) -> NotCompressed | None:
    if is_stream(entry.head):
        return NotCompressed.STREAM
    kind = media_type(entry.head.fields.get("content-type"))
    if not any(pattern.fullmatch(kind) for pattern in policy.codings.content_types):
        return NotCompressed.CONTENT_TYPE
    if entry.length < policy.codings.min_size:
        return NotCompressed.TOO_SMALL
    return NotCompressed.TOO_LARGE if entry.length > MAX_COMPRESSED else None


def _is_personal(entry: StoredResponse, policy: CachePolicy) -> bool:
    """Return whether a stored response may be for one client, with secrets that its compressed length gives away.

    An attacker who has parts of a response chosen can guess its secrets by its length (BREACH). A response with a
    lifetime from its origin is for all clients, and has none. A rule that gives one says nothing about secrets.
    """
    if entry.scrubbed or any(name in (CREDENTIAL, COOKIE, API_KEY) for name, _ in entry.vary):
        return True
    given = origin_lifetime(entry.head.fields, date_of(entry), policy)
    return entry.personal and (given is None or given.seconds == 0)
