"""Streams: exchanges in which an origin may be silent for a long time on purpose, and responses without an end.

Examples are event streams, gRPC, and long polls. They have a timeout of their own, are not waited for by other
requests, and end when their client disconnects.
"""

from __future__ import annotations

import math
from functools import lru_cache

from cache.http.fields import delta_seconds, media_type, members, tokens
from cache.http.messages import Fields, Request, Response

_ENDLESS = frozenset({"text/event-stream", "multipart/x-mixed-replace"})
_RECORDS = frozenset(
    {"application/json-seq", "application/jsonl", "application/ndjson", "application/stream+json"}
    | {"application/x-json-stream", "application/x-jsonlines", "application/x-ndjson"}
)
"""Media types of one record after the other. They are also those of finished files, which have a Content-Length."""


def is_stream(response: Response) -> bool:
    """Return whether the media type of a response is that of a stream."""
    return _is_stream(response.fields)


def is_endless(response: Response) -> bool:
    """Return whether the media type of a response is that of a stream without an end, which is never stored."""
    return _has_no_end(media_type(response.fields.get("content-type")))


def asks_for_stream(request: Request) -> bool:
    """Return whether a request asks for a stream, or for a response that is held back (RFC 7240 §4.3)."""
    return _held_back(request.fields) > 0


def held_back(request: Request) -> float:
    """Return the seconds for which a response may be held back at the wish of its request. Infinity for a stream."""
    return _held_back(request.fields)


def is_grpc_over_http2(request: Request) -> bool:
    """Return whether a request is a gRPC call, which only an origin with HTTP/2 can answer. gRPC-Web needs none."""
    if request.version != "HTTP/2.0" or "trailers" not in tokens(request.fields.get("te")):
        return False
    kind = media_type(request.fields.get("content-type"))
    return kind == "application/grpc" or kind.startswith("application/grpc+")


@lru_cache(maxsize=512)
def _is_stream(fields: Fields) -> bool:
    kind = media_type(fields.get("content-type"))
    return _has_no_end(kind) or (kind in _RECORDS and "content-length" not in fields)


@lru_cache(maxsize=512)
def _held_back(fields: Fields) -> float:
    wanted = {media_type(member) for member in members(fields.get("accept") or "")}
    if not wanted.isdisjoint(_ENDLESS | _RECORDS) or _is_grpc(media_type(fields.get("content-type"))):
        return math.inf
    waits = (each.removeprefix("wait=") for each in tokens(fields.get("prefer")) if each.startswith("wait="))
    return delta_seconds(next(waits, "")) or 0.0  # RFC 7240 §2: the first one counts


def _has_no_end(kind: str) -> bool:
    return kind in _ENDLESS or _is_grpc(kind)


def _is_grpc(kind: str) -> bool:
    return kind.startswith("application/grpc")  # also grpc+proto and grpc-web (the gRPC protocol, "Requests")
