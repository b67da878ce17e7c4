"""Heads that were parsed before are taken for what they came to, and nothing else is taken for them."""

from __future__ import annotations

from addon.origin.options import OriginOptions
from addon.origin.response_reader import ResponseReader


def heard(octets: bytes) -> ResponseReader:
    exchange = ResponseReader("GET", "a.example", OriginOptions())
    exchange.feed(octets)
    return exchange


def test_a_head_that_is_known_is_the_same_record() -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Known: yes\r\nContent-Length: 2\r\n\r\n"
    first, second = heard(head + b"v1"), heard(head + b"v2")
    assert first.head is second.head
    assert (first.whole(), second.whole()) == (b"v1", b"v2")


def test_what_follows_a_known_head_is_counted() -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Counted: yes\r\nContent-Length: 4\r\n\r\n"
    heard(head + b"abcd")
    in_pieces = heard(head + b"ab")
    assert not in_pieces.complete
    in_pieces.feed(b"cdHTTP/1.1 200 OK\r\n")
    assert (in_pieces.complete, in_pieces.surplus, in_pieces.whole()) == (True, True, b"abcd")


def test_empty_lines_before_a_response_are_no_head() -> None:
    """Every response that began with them was taken for the first one that had, whoever sent it."""
    heard(b"\r\n\r\nHTTP/1.1 200 OK\r\nX-From: one\r\nContent-Length: 2\r\n\r\nv1")
    other = heard(b"\r\n\r\nHTTP/1.1 404 Not Found\r\nX-From: other\r\nContent-Length: 3\r\n\r\nv22")
    assert other.head is not None
    assert (other.head.status, other.head.fields.get("x-from"), other.whole()) == (404, "other", b"v22")


def test_a_known_head_answers_no_head_request() -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Head: yes\r\nContent-Length: 2\r\n\r\n"
    heard(head + b"v1")
    exchange = ResponseReader("HEAD", "a.example", OriginOptions())
    exchange.feed(head)
    assert exchange.complete
