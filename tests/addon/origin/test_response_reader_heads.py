"""Response heads, byte for byte, and how the origin client parses them."""

from __future__ import annotations

import asyncio

import pytest

from addon.origin import FailureKind, OriginClient, OriginOptions
from cache.http.messages import Fields, Response
from tests.fixtures.origin_client import get, head_refusal, receive, run_conversation, whole
from tests.fixtures.raw_origin import CHUNKED, HEAD, LONG_FIELD_LINE, OK, Peer, RawOrigin, answering

pytestmark = pytest.mark.usefixtures("each_loop")


def test_values_are_latin_1_without_surrounding_whitespace_in_order_and_case() -> None:
    data = HEAD + b"X-B: \t b c \t\r\nx-a:\xe9\xff\r\nX-b:\r\nContent-Length: 0\r\n\r\n"
    head, body, _ = receive(data)
    assert head == Response(
        200, "OK", Fields((("X-B", "b c"), ("x-a", "\xe9\xff"), ("X-b", ""), ("Content-Length", "0")))
    )
    assert body == b""


def test_a_response_that_arrives_byte_by_byte_is_the_same_response() -> None:
    async def dripping(peer: Peer) -> None:
        await peer.request()
        for byte in CHUNKED + b"3\r\nabc\r\n0\r\nT: x\r\n\r\n":
            await peer.send(bytes([byte]))
            await asyncio.sleep(0)
        await peer.client_closed()

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[Response, bytes]:
        response = await client.fetch(get(origin))
        return response.head, await whole(response)

    head, body = run_conversation(conversation, dripping)
    assert head == Response(200, "OK", Fields((("Transfer-Encoding", "chunked"),)))
    assert body == b"abc"


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        (b"HTTP/1.1 200 OK", 200, "OK"),
        (b"HTTP/1.1 200 ", 200, ""),
        (b"HTTP/1.1 200", 200, ""),
        (b"HTTP/1.1 999 \xe9 b", 999, "\xe9 b"),
        (b"HTTP/1.1  200 \t  OK ", 200, "OK"),  # RFC 9112 §4: word boundaries may separate the parts
        (b"HTTP/1.2 200 OK", 200, "OK"),  # RFC 9110 §2.5: read as the highest minor version that is known
        (b"http/1.1 200 OK", 200, "OK"),
        (b"\r\n\nHTTP/1.1 200 OK", 200, "OK"),
    ],
)
def test_status_lines_that_are_read(line: bytes, status: int, reason: str) -> None:
    head, _, _ = receive(line + b"\r\nContent-Length: 0\r\n\r\n")
    assert (head.status, head.reason, head.version) == (status, reason, "HTTP/1.1")


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 1000 High\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 20x OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"<html>An answer of HTTP/0.9</html>\r\n\r\n",
        b"ICE/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-something\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16",
        HEAD + b"X: a\rb\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"X: a\r\n folded\r\nContent-Length: 0\r\n\r\n",
        HEAD + b" X: a\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"X\x0b: a\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"X Y: a\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"no colon\r\nContent-Length: 0\r\n\r\n",
        HEAD + b": no name\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=repr,
)
def test_a_malformed_head_is_refused(data: bytes) -> None:
    failure = head_refusal(data)
    assert (failure.kind, failure.disconnected) == (FailureKind.HTTP_PROTOCOL_ERROR, False)


def test_white_space_before_a_colon_is_removed() -> None:
    """RFC 9112 §5.1: MUST, for a response."""
    head, body, _ = receive(HEAD + b"X : a\r\nContent-Length\t : 3\r\n\r\nabc")
    assert (head.fields.lines, body) == ((("X", "a"), ("Content-Length", "3")), b"abc")


def test_control_characters_in_a_value_are_kept() -> None:
    """RFC 9110 §5.5: MAY. Old file names in Content-Disposition have ESC, for example."""
    head, _, _ = receive(HEAD + b"X: \x1b$B\x7f\x01\r\nContent-Length: 0\r\n\r\n")
    assert head.fields.get("x") == "\x1b$B\x7f\x01"


def test_a_refusal_of_size_names_the_setting() -> None:
    assert "(limits.max_head)" in head_refusal(HEAD + b"X: " + b"a" * 65_536).detail
    assert "(limits.max_line)" in head_refusal(HEAD + b"X: " + b"a" * 32_768 + b"\r\n\r\n").detail


def test_the_limits_are_settings() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        return len((await client.fetch(get(origin))).head.fields.get("x") or "")

    data = HEAD + b"X: " + b"a" * 100_000 + b"\r\nContent-Length: 0\r\n\r\n"
    options = OriginOptions(proxy="none", max_head=200_000, max_line=150_000)
    assert run_conversation(conversation, answering(data), options=options) == 100_000


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (HEAD + LONG_FIELD_LINE * 66 + b"Content-Length: 0\r\n\r\n", "http_response_header_section_size"),
        (HEAD + LONG_FIELD_LINE * 70, "http_response_header_section_size"),
        (HEAD + b"X: " + b"a" * 65_536, "http_response_header_section_size"),
        (b"HTTP/1.1 200 " + b"a" * 65_536, "http_response_header_section_size"),
        ((b"HTTP/1.1 103 Early Hints\r\n" + LONG_FIELD_LINE + b"\r\n") * 70, "http_response_header_section_size"),
        (HEAD + b"X: a\r\n" * 200 + b"Content-Length: 0\r\n\r\n", "http_response_header_section_size"),
        (HEAD + b"X: " + b"a" * 32_768 + b"\r\nContent-Length: 0\r\n\r\n", "http_response_header_size"),
    ],
    ids=["64 KiB of fields", "no end", "one line without end", "endless reason", "interim heads", "201 fields", "line"],
)
def test_a_head_above_the_limits_is_refused(data: bytes, kind: str) -> None:
    failure = head_refusal(data)
    assert (failure.kind, failure.disconnected) == (kind, False)


def test_a_head_just_within_the_limits_is_accepted() -> None:
    head, _, _ = receive(HEAD + LONG_FIELD_LINE * 64 + b"X: a\r\n" * 135 + b"Content-Length: 0\r\n\r\n")
    assert len(head.fields.lines) == 200


def test_every_interim_response_is_skipped() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 9\r\n\r\n"
    head, body, connections = receive(interim + OK)
    assert (head.status, head.reason, head.fields.lines) == (200, "OK", (("Content-Length", "2"),))
    assert (body, connections) == (b"ok", 1)


def test_an_interim_response_alone_is_a_failure() -> None:
    failure = head_refusal(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
    assert (failure.kind, failure.disconnected) == (FailureKind.CONNECTION_TERMINATED, True)


@pytest.mark.parametrize("fields", [b"", b"Connection: upgrade\r\nUpgrade: x\r\n"])
def test_an_unrequested_protocol_switch_is_refused(fields: bytes) -> None:
    failure = head_refusal(b"HTTP/1.1 101 Switching Protocols\r\n" + fields + b"\r\n" + OK)
    assert failure.kind is FailureKind.HTTP_PROTOCOL_ERROR
    assert failure.detail.endswith("switched protocols unasked")
