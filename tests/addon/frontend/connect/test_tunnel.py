"""CONNECT: the first bytes of the client decide whether its tunnel is intercepted, given to mitmproxy, or refused."""

from __future__ import annotations

import asyncio

import pytest

from addon.frontend.connect.tunnel import MAX_CLIENT_HELLO
from addon.frontend.connections import HEAD_TIMEOUT
from tests.addon.frontend.front_end import (
    FrontEndUnderTest,
    authority_of,
    client_hello,
    client_tls,
    get_in_tunnel,
    origin_tls,
    request_head,
    run_conversation,
    until,
)
from tests.fixtures.raw_origin import RawOrigin, endless

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@pytest.mark.parametrize(
    "target", ["a.example", "a.example:", "a.example:0", "a.example:99999", "a.example:x", "/", ":1"]
)
def test_a_connect_without_a_host_and_a_port_is_refused(target: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(request_head(f"CONNECT {target} HTTP/1.1", "Host: a.example"))
        assert (response.status, response.fields.get("connection")) == (400, "close")
        assert await client.rest() == b""

    run_conversation(conversation, endless)


def test_a_connect_with_content_is_refused_and_its_content_is_dropped() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        lines = f"CONNECT {authority_of(origin)} HTTP/1.1", "Host: a", "Content-Length: 18"
        assert (await client.fetch(request_head(*lines) + b"GET / HTTP/1.1\r\n\r\n")).status == 400
        assert await client.rest() == b""
        assert not front_end.handed_over

    run_conversation(conversation, endless)


@pytest.mark.parametrize("protocols", [(), ("http/1.1",), ("http/1.1", "h3"), ("http/1.0",), ("h3",)])
def test_tls_is_intercepted_with_http_1_1_inside_unless_http_2_is_offered(protocols: tuple[str, ...]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin), client_tls(*protocols))
        tls = client.writer.get_extra_info("ssl_object")
        assert tls.selected_alpn_protocol() == ("http/1.1" if "http/1.1" in protocols else None)
        assert (await client.fetch(get_in_tunnel(origin))).body == b"ok"
        assert not front_end.handed_over

    run_conversation(conversation, endless, secure=origin_tls())


@pytest.mark.parametrize("protocols", [("h2",), ("h2", "h3"), ("h2", "http/1.1")])
def test_tls_is_intercepted_with_http_2_inside_if_the_client_offers_it(protocols: tuple[str, ...]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin), client_tls(*protocols))
        assert client.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
        assert not front_end.handed_over

    run_conversation(conversation, endless, secure=origin_tls())


@pytest.mark.parametrize(
    ("data", "mode"),
    [
        (b"GET / HTTP/1.1\r\n", "reverse:http://a.example:443"),
        (b"PROPFIND * HTTP/1.1\r\n", "reverse:http://a.example:443"),
    ],
    ids=["GET", "PROPFIND"],
)
def test_clear_text_http_goes_to_mitmproxy_unchanged(data: bytes, mode: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel("a.example:443")
        client.send(data)
        await until(lambda: bool(front_end.handed_over))
        assert front_end.handed_over == [(data, mode)]

    run_conversation(conversation, endless)


@pytest.mark.parametrize("size", [1, 5, 100])
def test_a_client_hello_may_arrive_in_pieces_and_together_with_the_connect(size: int) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        hello = client_hello("a.example", "h3")
        data = request_head("CONNECT a.example:443 HTTP/1.1", "Host: a.example:443") + hello
        for start in range(0, len(data), size):
            client.send(data[start : start + size])
            await asyncio.sleep(0)
        assert await client.head() == ESTABLISHED
        assert await client.reader.readexactly(1) == b"\x16"  # the answer of TLS
        assert not front_end.handed_over

    run_conversation(conversation, endless)


def test_a_request_line_in_a_tunnel_may_arrive_in_pieces() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel("a.example:443")
        for byte in b"POST ":
            client.send(bytes([byte]))
            await asyncio.sleep(0.001)
            assert not front_end.handed_over
        client.send(b"/")
        await until(lambda: bool(front_end.handed_over))
        assert front_end.handed_over == [(b"POST /", "reverse:http://a.example:443")]

    run_conversation(conversation, endless)


HELLO = client_hello()


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
        b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
        b"\x16\x03\x01\x00\x00",
        HELLO[:9] + b"\xff" * (len(HELLO) - 9),
        b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + b"\x00" * MAX_CLIENT_HELLO * 2,
        b"\x16\x03\x01\x00\x01\x01" * 20_000,
        b"\x16\x03\x01\x00\x00" * 20_000,
    ],
    ids=["ServerHello", "too short", "empty record", "0xff", "too long", "1-byte records", "empty records"],
)
def test_a_malformed_client_hello_ends_the_connection(data: bytes) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel("a.example:443")
        client.send(data)
        await asyncio.sleep(0.02)
        front_end.advance_deadlines(HEAD_TIMEOUT + 1)
        assert not (await client.rest()).startswith(b"HTTP")
        await until(lambda: not front_end.connections)
        assert not front_end.handed_over

    run_conversation(conversation, endless)


@pytest.mark.parametrize("data", [b"\x16", b"\x16\x03", HELLO[:100]], ids=["1 byte", "2 bytes", "100 bytes"])
def test_an_incomplete_client_hello_has_a_deadline(data: bytes) -> None:
    """See docs/decisions.md, "Slow clients have deadlines"."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel("a.example:443")
        client.send(data)
        await asyncio.sleep(0.01)
        front_end.advance_deadlines(HEAD_TIMEOUT + 1)
        assert await client.rest() == b""
        assert not front_end.connections

    run_conversation(conversation, endless)


def test_a_tunnel_whose_client_disconnects_is_removed() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        for data in (b"", b"\x16", HELLO):
            client = await front_end.tunnel("a.example:443")
            client.send(data)
            client.writer.transport.close()
        await until(lambda: not front_end.connections)

    run_conversation(conversation, endless)
