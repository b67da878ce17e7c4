"""A response head that was parsed before is found in the cache, and only for exactly the same bytes."""

from __future__ import annotations

from addon.origin.head_cache import FREQUENT, HeadCache
from addon.origin.options import OriginOptions
from addon.origin.response_head import parse_head
from addon.origin.response_reader import ResponseReader


def parsed(data: bytes) -> ResponseReader:
    reader = ResponseReader("GET", "a.example", OriginOptions())
    reader.feed(data)
    return reader


def test_a_cached_head_is_the_same_object() -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Known: yes\r\nContent-Length: 2\r\n\r\n"
    first, second = parsed(head + b"v1"), parsed(head + b"v2")
    assert first.head is second.head
    assert (first.whole(), second.whole()) == (b"v1", b"v2")


def test_the_body_behind_a_cached_head_is_counted() -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Counted: yes\r\nContent-Length: 4\r\n\r\n"
    parsed(head + b"abcd")
    in_pieces = parsed(head + b"ab")
    assert not in_pieces.complete
    in_pieces.feed(b"cdHTTP/1.1 200 OK\r\n")
    assert (in_pieces.complete, in_pieces.surplus, in_pieces.whole()) == (True, True, b"abcd")


def test_empty_lines_before_a_response_are_not_cached_as_a_head() -> None:
    """Regression: each response that began with empty lines got the head of the first such response."""
    parsed(b"\r\n\r\nHTTP/1.1 200 OK\r\nX-From: one\r\nContent-Length: 2\r\n\r\nv1")
    other = parsed(b"\r\n\r\nHTTP/1.1 404 Not Found\r\nX-From: other\r\nContent-Length: 3\r\n\r\nv22")
    assert other.head is not None
    assert (other.head.status, other.head.fields.get("x-from"), other.whole()) == (404, "other", b"v22")


def test_a_cached_head_is_not_used_for_a_head_request() -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Head: yes\r\nContent-Length: 2\r\n\r\n"
    parsed(head + b"v1")
    reader = ResponseReader("HEAD", "a.example", OriginOptions())
    reader.feed(head)
    assert reader.complete


def head_with(etag: str, *, name: str = "X-Form") -> bytes:
    return f'HTTP/1.1 200 OK\r\n{name}: yes\r\nETag: "{etag}"\r\nContent-Length: 2\r\n\r\n'.encode()


def found(cache: HeadCache, head: bytes) -> str | None:
    """Return the ETag of what the cache has of a head."""
    known = cache.get(head) or cache.put(head, parse_head(head, OriginOptions()))
    return known.parsed.response.fields.get("etag")


def test_heads_of_a_frequent_form_that_differ_push_no_other_out() -> None:
    cache, other = HeadCache(), head_with("other", name="X-Other")
    kept = cache.put(other, parse_head(other, OriginOptions()))
    for number in range(1000):
        assert found(cache, head_with(str(number))) == f'"{number}"'
    assert cache.get(other) is kept


def test_a_head_of_a_frequent_form_that_is_repeated_at_once_is_the_same_object() -> None:
    cache = HeadCache()
    for number in range(FREQUENT + 2):
        found(cache, head_with(str(number)))
    repeated = cache.get(head_with("a"))
    assert repeated is not None
    assert cache.get(head_with("a")) is repeated
    assert [found(cache, head_with(etag)) for etag in ("b", "a")] == ['"b"', '"a"']
