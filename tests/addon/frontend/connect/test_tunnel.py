"""CONNECT: what the client says first decides what becomes of its tunnel."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from addon.frontend.connect.tunnel import MAX_CLIENT_HELLO
from addon.frontend.connections import HEAD_TIMEOUT
from tests.addon.frontend.doorway import Doorway, converse, origin_tls, request, trusting, until
from tests.fixtures.raw_origin import RawOrigin, endless

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def hello(name: str | None = "a.example", *protocols: str) -> bytes:
    """Return the first octets of a TLS client."""
    context = ssl.create_default_context()
    context.check_hostname = name is not None
    if protocols:
        context.set_alpn_protocols(list(protocols))
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize(
    "target", ["a.example", "a.example:", "a.example:0", "a.example:99999", "a.example:x", "/", ":1"]
)
def test_a_tunnel_to_nowhere_is_refused(target: str) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        heard = await client.ask(request(f"CONNECT {target} HTTP/1.1", "Host: a.example"))
        assert (heard.status, heard.fields.get("connection")) == (400, "close")
        assert await client.rest() == b""

    converse(conversation, endless)


def test_a_connect_with_content_is_refused_and_its_content_is_not_heard() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        lines = f"CONNECT 127.0.0.1:{origin.port} HTTP/1.1", "Host: a", "Content-Length: 18"
        assert (await client.ask(request(*lines) + b"GET / HTTP/1.1\r\n\r\n")).status == 400
        assert await client.rest() == b""
        assert not doorway.handed_over

    converse(conversation, endless)


@pytest.mark.parametrize("protocols", [("h2",), ("h2", "h3"), ("http/1.0",)])
def test_tls_for_anything_but_http_1_1_goes_to_mitmproxy_with_its_octets_untouched(protocols: tuple[str, ...]) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.tunnel("a.example:443")
        octets = hello("a.example", *protocols)
        client.send(octets)
        await until(lambda: bool(doorway.handed_over))
        assert doorway.handed_over == [(octets, "reverse:https://a.example:443")]

    converse(conversation, endless)


@pytest.mark.parametrize("protocols", [(), ("http/1.1",), ("h2", "http/1.1")])
def test_tls_for_http_1_1_is_taken_off(protocols: tuple[str, ...]) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        authority = f"127.0.0.1:{origin.port}"
        client = await doorway.tunnel(authority, trusting(*protocols))
        tls = client.writer.get_extra_info("ssl_object")
        assert tls.selected_alpn_protocol() == ("http/1.1" if protocols else None)
        assert (await client.ask(request("GET / HTTP/1.1", f"Host: {authority}"))).body == b"ok"
        assert not doorway.handed_over

    converse(conversation, endless, secure=origin_tls())


@pytest.mark.parametrize("size", [1, 5, 100])
def test_a_hello_may_come_in_pieces_and_right_behind_the_connect(size: int) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        octets = hello("a.example", "h2")
        sent = request("CONNECT a.example:443 HTTP/1.1", "Host: a.example:443") + octets
        for start in range(0, len(sent), size):
            client.send(sent[start : start + size])
            await asyncio.sleep(0)
        assert await client.head() == ESTABLISHED
        await until(lambda: bool(doorway.handed_over))
        assert doorway.handed_over == [(octets, "reverse:https://a.example:443")]

    converse(conversation, endless)


@pytest.mark.parametrize(
    ("octets", "mode"),
    [
        (b"GET / HTTP/1.1\r\n", "reverse:http://a.example:443"),
        (b"PROPFIND * HTTP/1.1\r\n", "reverse:http://a.example:443"),
    ],
)
def test_http_in_clear_goes_to_mitmproxy(octets: bytes, mode: str) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.tunnel("a.example:443")
        client.send(octets)
        await until(lambda: bool(doorway.handed_over))
        assert doorway.handed_over == [(octets, mode)]

    converse(conversation, endless)


def test_a_request_line_is_known_however_it_is_cut() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.tunnel("a.example:443")
        for octet in b"POST ":
            client.send(bytes([octet]))
            await asyncio.sleep(0.001)
            assert not doorway.handed_over
        client.send(b"/")
        await until(lambda: bool(doorway.handed_over))
        assert doorway.handed_over == [(b"POST /", "reverse:http://a.example:443")]

    converse(conversation, endless)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"\x16\x03\x01\x00\x04\x02\x00\x00\x00", id="ServerHello"),
        pytest.param(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", id="too short"),
        pytest.param(b"\x16\x03\x01\x00\x00", id="empty record"),
        pytest.param(hello()[:9] + b"\xff" * (len(hello()) - 9), id="invalid content"),
        pytest.param(b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + b"\x00" * MAX_CLIENT_HELLO * 2, id="too long"),
        pytest.param(b"\x16\x03\x01\x00\x01\x01" * 20_000, id="one byte per record"),
        pytest.param(b"\x16\x03\x01\x00\x00" * 20_000, id="only empty records"),
    ],
)
def test_a_malformed_hello_is_the_end(octets: bytes) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.tunnel("a.example:443")
        client.send(octets)
        await asyncio.sleep(0.02)
        doorway.later(HEAD_TIMEOUT + 1)
        assert not (await client.rest()).startswith(b"HTTP")
        await until(lambda: not doorway.connections)
        assert not doorway.handed_over

    converse(conversation, endless)


@pytest.mark.parametrize("octets", [b"\x16", b"\x16\x03", hello()[:100]], ids=["1 byte", "2 bytes", "100 bytes"])
def test_a_hello_that_does_not_come_to_its_end_is_waited_for_only_so_long(octets: bytes) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.tunnel("a.example:443")
        client.send(octets)
        await asyncio.sleep(0.01)
        doorway.later(HEAD_TIMEOUT + 1)
        assert await client.rest() == b""
        assert not doorway.connections

    converse(conversation, endless)


def test_a_tunnel_whose_client_leaves_is_forgotten() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        for octets in (b"", b"\x16", hello()):
            client = await doorway.tunnel("a.example:443")
            client.send(octets)
            client.writer.transport.close()
        await until(lambda: not doorway.connections)

    converse(conversation, endless)
