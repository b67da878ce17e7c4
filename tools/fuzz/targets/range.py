"""Range: the parts that a request asks for are within the content, and asking for exactly these gives them again."""

from __future__ import annotations

from itertools import pairwise

from cache.http.messages import Fields, Request, Response
from cache.rules.ranges import MAX_RANGES, Part, Unsatisfiable, requested_parts
from cache.rules.stored_response import StoredResponse
from tools.fuzz.pieces import repeated

TOKENS = [b"bytes=", b"0-", b"-1", b"0-0", b"99-", b",", b"9999999999999999999", b"items=", b" ", b"\t"]

TOTALS = (0, 1, 100, 100_000)
"""Lengths of the content, in bytes."""


def check(data: bytes) -> None:
    """Read text as the value of a Range field, for content of several lengths."""
    for each in (data, repeated(data)):
        if each is not None:
            for total in TOTALS:
                _check(each.decode("latin-1"), total)


def _check(value: str, total: int) -> None:
    parts = _parts(value, total)
    if parts is None or isinstance(parts, Unsatisfiable):
        return
    assert 0 < len(parts) <= MAX_RANGES
    assert sum(part.stop - part.start for part in parts) <= total
    assert all(0 <= part.start < part.stop <= total for part in parts)
    ordered = sorted(parts, key=lambda part: part.start)
    assert all(one.stop <= other.start for one, other in pairwise(ordered))
    rendered = ",".join(f"{part.start}-{part.stop - 1}" for part in parts)
    assert _parts(f"bytes={rendered}", total) == parts


def _parts(value: str, total: int) -> tuple[Part, ...] | Unsatisfiable | None:
    request = Request("GET", "http", "a.example", 80, "/", fields=Fields((("Range", value),)))
    entry = StoredResponse("0" * 32, request.uri, "GET", request.uri, Response(200, "OK"), 0.0, 0.0, 0.0, length=total)
    return requested_parts(request, entry)
