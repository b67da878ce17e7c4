"""Response heads whose mistakes only `origin.lenient` allows: refused by default, with a sentence that names it."""

from __future__ import annotations

import pytest

from addon.origin.options import OriginOptions
from addon.origin.response_head import MalformedResponse, ResponseHead, parse_head
from addon.origin.response_reader import ResponseReader
from cache.policy.operator_rules import glob

STRICT = OriginOptions()
LENIENT = OriginOptions(reads_leniently=True)
HEAD = b"HTTP/1.1 200 OK\r\n"


def refusal(data: bytes, options: OriginOptions = STRICT) -> str:
    with pytest.raises(MalformedResponse) as caught:
        parse_head(data, options)
    return str(caught.value)


def framing(head: ResponseHead) -> tuple[int | None, bool]:
    return head.length, head.chunked


MISTAKES = [
    (b"HTTP/1.1 200 OK\nX: a\nContent-Length: 3\n\n", (3, False), "bare LF"),
    (HEAD + b"X: a\nContent-Length: 3\r\n\r\n", (3, False), "bare LF"),
    (HEAD + b"X: a\r\n b\r\n\tc\r\nContent-Length: 3\r\n\r\n", (3, False), "folded"),
    (HEAD + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\n", (3, False), "more than once"),
    (HEAD + b"Content-Length: 3, 3 ,3\r\n\r\n", (3, False), "more than once"),
    (HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", (None, True), "beside Transfer-Encoding"),
    (HEAD + b"Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\n", (3, False), "identity"),
    (HEAD + b"Transfer-Encoding: identity\r\n\r\n", (None, False), "identity"),
    (HEAD + b"Transfer-Encoding: identity, chunked\r\n\r\n", (None, True), "identity"),
    (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", (None, True), "HTTP/1.0"),
]


@pytest.mark.parametrize(("data", "expected", "mistake"), MISTAKES, ids=[str(row[0]) for row in MISTAKES])
def test_a_dangerous_mistake_is_accepted_from_a_lenient_host_only(
    data: bytes, expected: tuple[int | None, bool], mistake: str
) -> None:
    sentence = refusal(data)
    assert mistake in sentence
    assert "origin.lenient" in sentence
    head = parse_head(data, LENIENT)
    assert (framing(head), head.read_leniently, head.persistent) == (expected, True, False)


@pytest.mark.parametrize("data", [row[0] for row in MISTAKES], ids=repr)
def test_one_framing_at_most_is_passed_on(data: bytes) -> None:
    head = parse_head(data, LENIENT)
    lengths = () if head.length is None else (str(head.length),)
    assert head.response.fields.all("content-length") == lengths
    assert "transfer-encoding" not in head.response.fields


def test_a_folded_line_is_joined_by_a_space() -> None:
    """RFC 9112 §5.2."""
    head = parse_head(HEAD + b"X: a \r\n  b\r\n\t c\r\nY:\r\n d\r\n\r\n", LENIENT)
    assert head.response.fields.lines == (("X", "a b c"), ("Y", "d"))


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
        HEAD + b"Content-Length: 3, 4\r\n\r\n",
        HEAD + b"Content-Length: 3,\r\n\r\n",
        HEAD + b"Content-Length: 3\r\n 4\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding:\r\n\r\n",
        HEAD + b"X: a\rb\r\n\r\n",
        HEAD + b"X: a\0b\r\n\r\n",
        HEAD + b" X: a\r\n\r\n",
        HEAD + b"X\r\n\r\n",
    ],
    ids=repr,
)
def test_what_cannot_be_read_is_refused_from_a_lenient_host_too(data: bytes) -> None:
    assert "origin.lenient" not in refusal(data, LENIENT)


def test_a_response_without_mistakes_is_read_from_a_lenient_host_like_from_any_other() -> None:
    data = HEAD + b"X : a\r\nContent-Length: 3\r\n\r\n"
    assert parse_head(data, LENIENT) == parse_head(data, STRICT)


@pytest.mark.parametrize("head", [b"Transfer-Encoding: chunked\n\n", b"Transfer-Encoding: chunked\r\n\r\n"])
@pytest.mark.parametrize("body", [b"3\nabc\n0\n\n", b"3\r\nabc\r\n0\r\n\n", b"3\r\nabc\r\n0\r\nA: b\n\r\n"])
def test_chunks_with_bare_lf_are_read_from_a_lenient_host_only(head: bytes, body: bytes) -> None:
    reader = ResponseReader("GET", "a.example", LENIENT)
    reader.feed(HEAD + head + body)
    assert (reader.complete, reader.read_leniently, reader.persistent) == (True, True, False)
    assert reader.whole() == b"abc"


def test_a_bare_lf_between_chunks_is_refused_with_a_sentence_that_names_the_setting() -> None:
    reader = ResponseReader("GET", "a.example", STRICT)
    reader.feed(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n")
    assert reader.failure
    assert "origin.lenient" in reader.failure.detail


def test_a_head_that_was_read_leniently_is_not_remembered_for_other_hosts() -> None:
    data = HEAD + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"
    for options, complete in ((LENIENT, True), (STRICT, False)):
        reader = ResponseReader("GET", "a.example", options)
        reader.feed(data)
        assert (reader.complete, reader.read_leniently) == (complete, complete)


def test_hosts_are_patterns() -> None:
    options = OriginOptions(lenient=(glob("*.old.example"),))
    assert options.of_host("A.old.example").reads_leniently
    assert not options.of_host("old.example.org").reads_leniently
