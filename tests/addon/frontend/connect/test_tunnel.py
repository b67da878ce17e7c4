"""CONNECT: the first bytes of the client decide who answers inside its tunnel, or whether it is refused."""

from __future__ import annotations

import asyncio

import pytest

from addon.frontend.connect.tunnel import MAX_CLIENT_HELLO
from addon.frontend.connections import HEAD_TIMEOUT
from addon.frontend.http1.connection import Http1Connection
from tests.addon.frontend.front_end import (
    FrontEndUnderTest,
    authority_of,
    client_hello,
    client_tls,
    echo_path,
    get,
    get_in_tunnel,
    origin_tls,
    request_head,
    run_conversation,
)
from tests.addon.frontend.http2.http2_client import Http2Client
from tests.fixtures.raw_origin import RawOrigin, endless
from tests.fixtures.until import settle, until

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

    run_conversation(conversation, endless)


@pytest.mark.parametrize("protocols", [(), ("http/1.1",), ("http/1.1", "h3"), ("http/1.0",), ("h3",)])
def test_tls_is_intercepted_with_http_1_1_inside_unless_http_2_is_offered(protocols: tuple[str, ...]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin), client_tls(*protocols))
        tls = client.writer.get_extra_info("ssl_object")
        assert tls.selected_alpn_protocol() == ("http/1.1" if "http/1.1" in protocols else None)
        assert (await client.fetch(get_in_tunnel(origin))).body == b"ok"

    run_conversation(conversation, endless, secure=origin_tls())


@pytest.mark.parametrize("protocols", [("h2",), ("h2", "h3"), ("h2", "http/1.1")])
def test_tls_is_intercepted_with_http_2_inside_if_the_client_offers_it(protocols: tuple[str, ...]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin), client_tls(*protocols))
        assert client.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"

    run_conversation(conversation, endless, secure=origin_tls())


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

    run_conversation(conversation, endless)


def test_http_in_clear_text_is_answered_and_cached() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin))
        request = get_in_tunnel(origin, "/fresh")
        assert [(await client.fetch(request)).status for _ in range(2)] == [200, 203]
        outside = await front_end.client()
        assert (await outside.fetch(get(origin, "/fresh"))).status == 203
        assert [request.split(b" ")[1] for request in origin.requests] == [b"/fresh"]

    run_conversation(conversation, echo_path)


def test_a_request_in_clear_text_may_arrive_in_pieces() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin))
        for byte in get_in_tunnel(origin, "/a"):
            client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert (await client.response()).body == b"/a"

    run_conversation(conversation, echo_path)


def test_a_request_in_clear_text_may_come_together_with_the_connect() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        authority = authority_of(origin)
        client.send(request_head(f"CONNECT {authority} HTTP/1.1", f"Host: {authority}") + get_in_tunnel(origin, "/a"))
        assert await client.head() == ESTABLISHED
        assert (await client.response()).body == b"/a"

    run_conversation(conversation, echo_path)


def test_a_request_in_clear_text_has_the_limits_of_other_requests() -> None:
    """Regression: mitmproxy read such requests, without a limit of time or size."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        slow = await front_end.tunnel(authority_of(origin))
        slow.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        await until(lambda: any(isinstance(each, Http1Connection) for each in front_end.connections))
        front_end.advance_deadlines(HEAD_TIMEOUT + 1)
        assert (await slow.response()).status == 408
        large = await front_end.tunnel(authority_of(origin))
        large.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 40_000)
        assert (await large.response()).status == 431

    run_conversation(conversation, echo_path)


@pytest.mark.parametrize("secure", [False, True], ids=["in clear text", "inside TLS"])
def test_a_request_that_names_another_host_goes_to_the_host_of_its_tunnel_and_is_not_stored(secure: bool) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin), client_tls() if secure else None)
        scheme = "https" if secure else "http"
        for target, host in ((f"{scheme}://b.example/fresh", "b.example"), ("/fresh", "c.example")):
            response = await client.fetch(request_head(f"GET {target} HTTP/1.1", f"Host: {host}"))
            assert (response.status, response.body) == (200, b"/fresh")
            assert f"Host: {host}\r\n".encode() in origin.requests[-1]
        response = await client.fetch(request_head("CONNECT b.example:80 HTTP/1.1", "Host: b.example"))
        assert response.status == 405
        assert not front_end.entries()

    run_conversation(conversation, echo_path, secure=origin_tls() if secure else None)


def test_http_2_with_prior_knowledge_is_answered() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = Http2Client(await front_end.tunnel(authority_of(origin)), authority_of(origin), "http")
        client.greet()
        for status in (200, 203):
            response = await client.fetch("/fresh")
            assert (response.status, response.content) == (status, b"/fresh")

    run_conversation(conversation, echo_path)


def test_offline_a_copy_is_sent_in_a_tunnel_and_a_miss_is_refused() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin))
        assert (await client.fetch(get_in_tunnel(origin, "/fresh"))).status == 200
        await front_end.service.modes.handle({"mode": "offline"})
        assert (await client.fetch(get_in_tunnel(origin, "/fresh"))).status == 203
        assert (await client.fetch(get_in_tunnel(origin, "/b"))).status == 504
        assert len(origin.requests) == 1

    run_conversation(conversation, echo_path)


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
        await settle()
        front_end.advance_deadlines(HEAD_TIMEOUT + 1)
        assert not (await client.rest()).startswith(b"HTTP")
        await until(lambda: not front_end.connections)

    run_conversation(conversation, endless)


@pytest.mark.parametrize("data", [b"\x16", b"\x16\x03", HELLO[:100]], ids=["1 byte", "2 bytes", "100 bytes"])
def test_an_incomplete_client_hello_has_a_deadline(data: bytes) -> None:
    """See docs/decisions.md, "Slow clients have deadlines"."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel("a.example:443")
        client.send(data)
        await settle()
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
