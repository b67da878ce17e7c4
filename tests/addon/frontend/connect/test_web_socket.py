"""WebSocket: the handshake is answered as any request, and after a 101 the connection is a tunnel."""

from __future__ import annotations

import pytest

from addon.origin.web_socket import accept_for
from tests.addon.frontend.front_end import (
    FrontEndUnderTest,
    authority_of,
    client_tls,
    echo_path,
    get,
    origin_tls,
    request_head,
    run_conversation,
)
from tests.addon.frontend.web_sockets import KEY, OFFER, SWITCH, echo_bytes, echo_messages, exchange_messages
from tests.fixtures.free_port import free_port
from tests.fixtures.raw_origin import OK, Peer, RawOrigin
from tests.fixtures.until import until

# ---- the ways to the proxy


def test_a_web_socket_over_http() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        authority = authority_of(origin)
        await exchange_messages(await front_end.client(), authority, f"http://{authority}/chat")
        await until(lambda: not front_end.connections)

    run_conversation(conversation, echo_messages)


@pytest.mark.parametrize("secure", [False, True], ids=["in clear text", "inside TLS"])
def test_a_web_socket_in_a_tunnel(secure: bool) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin), client_tls() if secure else None)
        await exchange_messages(client, authority_of(origin), "/chat")
        await until(lambda: not front_end.connections)

    run_conversation(conversation, echo_messages, secure=origin_tls() if secure else None)


def test_a_web_socket_at_an_edge() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        async with FrontEndUnderTest({"edge": f"http://{authority_of(origin)}"}) as edge:
            await exchange_messages(await edge.client(), "a.example", "/chat")

    run_conversation(conversation, echo_messages)


# ---- the handshake


def test_the_fields_of_the_handshake_are_passed_on_and_those_of_one_hop_are_not() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        lines = "Connection: Upgrade, X-Own", "X-Own: a", "Keep-Alive: 5", "Cookie: a=b", "Origin: http://b.example"
        client.send(get(origin, "/chat", *lines, *OFFER[1:], "Proxy-Authorization: Basic YTpi"))
        head = (await client.head()).decode().split("\r\n")
        asked = origin.requests[0].decode().split("\r\n")
        assert [line for line in asked if line.lower().startswith(("connection", "upgrade"))] == list(OFFER[:2])
        assert {OFFER[3], "Cookie: a=b", "Origin: http://b.example"} < set(asked)
        assert not [line for line in asked if line.startswith(("X-Own", "Keep-Alive", "Proxy-Auth"))]
        assert any(line.startswith("Via: 1.1 secondhand") for line in asked)
        assert head[0] == "HTTP/1.1 101 Switching Protocols"
        assert {f"Sec-WebSocket-Accept: {accept_for(KEY)}", "Sec-WebSocket-Protocol: chat", *OFFER[:2]} < set(head)
        assert not [line for line in head if line.startswith(("Keep-Alive", "Content-Length"))]

    run_conversation(conversation, echo_bytes)


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "404 Not Found", "426 Upgrade Required", "500 Error"])
def test_any_other_answer_is_passed_on_and_the_connection_goes_on(status: str) -> None:
    """Regression: mitmproxy kept the connection, and read what followed without limits."""

    async def refuses(peer: Peer) -> None:
        await peer.request()
        head = f"HTTP/1.1 {status}\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\n"
        await peer.send(head.encode() + b"no")
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(get(origin, "/chat", *OFFER))
        assert (response.status, response.body) == (int(status[:3]), b"no")
        assert not front_end.entries()
        assert (await client.fetch(get(origin, "/a"))).body == b"/a"
        client.send(b"GET http://a.example/ HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 40_000)
        assert (await client.response()).status == 431

    run_conversation(conversation, refuses, echo_path)


def test_a_request_behind_a_refused_offer_is_answered_by_our_parser() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/chat", *OFFER) + get(origin, "/b"))
        assert [(await client.response()).body for _ in range(2)] == [b"/chat", b"/b"]

    run_conversation(conversation, echo_path)


def test_interim_responses_before_a_101_are_passed_on() -> None:
    async def hints(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + SWITCH + b"\x81\x00")
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/chat", *OFFER))
        assert (await client.head()).startswith(b"HTTP/1.1 103 ")
        assert (await client.head()).startswith(b"HTTP/1.1 101 ")
        assert await client.read(2) == b"\x81\x00"

    run_conversation(conversation, hints)


@pytest.mark.parametrize(
    "lines",
    [
        ("Upgrade: h2c", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept_for(KEY)}"),
        ("Upgrade: websocket", f"Sec-WebSocket-Accept: {accept_for(KEY)}"),
        ("Upgrade: websocket", "Connection: Upgrade"),
        ("Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept_for('another key')}"),
        (),
    ],
    ids=["another protocol", "no Connection", "no Accept", "the Accept of another key", "no fields"],
)
@pytest.mark.parametrize(
    "offer", [OFFER, ("Connection: Upgrade", "Upgrade: h2c"), ()], ids=["WebSocket", "h2c", "none"]
)
def test_a_101_that_was_not_asked_for_opens_no_tunnel(offer: tuple[str, ...], lines: tuple[str, ...]) -> None:
    """See docs/decisions.md, "A protocol switch that was not requested opens no tunnel"."""

    async def switches(peer: Peer) -> None:
        await peer.request()
        await peer.send(request_head("HTTP/1.1 101 Switching Protocols", *lines) + b"evil")
        peer._requests.append(await peer._reader.read(100))

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(get(origin, "/chat", *offer) + b"smuggled")
        assert response.status == 502
        assert b"evil" not in response.body
        client.end_sending()
        assert b"evil" not in await client.rest()
        assert not any(b"smuggled" in each for each in origin.requests)

    run_conversation(conversation, switches)


@pytest.mark.parametrize(
    ("request_line", "lines"),
    [
        ("GET {} HTTP/1.0", OFFER),
        ("POST {} HTTP/1.1", (*OFFER, "Content-Length: 2")),
        ("GET {} HTTP/1.1", (*OFFER, "Content-Length: 2")),
        ("OPTIONS {} HTTP/1.1", OFFER),
        ("GET {} HTTP/1.1", OFFER[1:]),
    ],
    ids=["HTTP/1.0", "POST", "GET with content", "OPTIONS", "no Connection"],
)
def test_other_requests_cannot_offer_a_web_socket(request_line: str, lines: tuple[str, ...]) -> None:
    async def answers(peer: Peer) -> None:
        head = await peer.request()
        if b"Content-Length" in head:
            await peer.request(b"ab")
        await peer.send(OK)
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        line = request_line.format(f"http://{authority_of(origin)}/chat")
        content = b"ab" if any(each.startswith("Content-Length") for each in lines) else b""
        response = await client.fetch(request_head(line, f"Host: {authority_of(origin)}", *lines) + content)
        assert (response.status, response.body) == (200, b"ok")
        assert b"upgrade" not in origin.requests[0].lower()

    run_conversation(conversation, answers)


def test_an_origin_that_cannot_be_reached_is_reported_and_the_connection_goes_on() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        port = free_port()
        offer = request_head(f"GET http://127.0.0.1:{port}/ HTTP/1.1", f"Host: 127.0.0.1:{port}", *OFFER)
        response = await client.fetch(offer)
        assert response.status == 502
        assert "error=connection_refused" in str(response.fields.get("proxy-status"))
        assert (await client.fetch(get(origin, "/a"))).body == b"/a"

    run_conversation(conversation, echo_path)


def test_an_origin_that_does_not_answer_the_handshake_has_the_usual_time() -> None:
    async def silent(peer: Peer) -> None:
        await peer.request()
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(get(origin, "/chat", *OFFER))
        assert response.status == 504
        assert "error=connection_read_timeout" in str(response.fields.get("proxy-status"))

    run_conversation(conversation, silent, origin={"first_byte_timeout": 0.05})


def test_offline_a_web_socket_is_refused_and_not_queued() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(get(origin, "/fresh", *OFFER))
        assert response.status == 504
        assert not origin.requests

    run_conversation(conversation, echo_path, cache={"mode": "offline"})


def test_a_refused_target_is_refused_for_web_sockets_too() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(get(origin, "/chat", *OFFER))
        assert (response.status, origin.connections) == (502, 0)
        by_name = request_head(f"GET http://localhost:{origin.port}/ HTTP/1.1", "Host: localhost", *OFFER)
        assert ((await client.fetch(by_name)).status, origin.connections) == (502, 0)

    run_conversation(conversation, echo_bytes, listen="0.0.0.0:0")
