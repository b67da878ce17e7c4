"""CONNECT over HTTP/2: inside the tunnel everything is as in a tunnel over HTTP/1."""

from __future__ import annotations

from pathlib import Path

from addon.origin.http2.faults import ErrorCode
from addon.origin.http2.settings import INITIAL_WINDOW_SIZE
from tests.addon.frontend.front_end import (
    LARGE_BODY,
    FrontEndUnderTest,
    authority_of,
    client_hello,
    echo_path,
    get_in_tunnel,
    origin_tls,
    run_conversation,
)
from tests.addon.frontend.http2.http2_client import (
    Received,
    http2_client,
    http2_client_in_tunnel,
)
from tests.addon.frontend.http2.tunnel_streams import (
    connect,
    content_on,
    echo,
    head_on,
)
from tests.fixtures.free_port import free_port
from tests.fixtures.raw_origin import RawOrigin, answering
from tests.fixtures.until import until


def test_other_protocols_in_a_tunnel_are_passed_through() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = connect(client)
        assert (await head_on(client, stream))[":status"] == "200"
        client.send_data(stream, b"SSH-2.0-x\r\n")
        assert await content_on(client, stream, 11) == b"SSH-2.0-x\r\n"
        client.send_data(stream, b"", end_stream=True)
        response = await client.response(stream)
        assert (response.ended, response.reset) == (True, None)
        await until(lambda: len(front_end.connections) == 1)

    run_conversation(conversation, echo)


def test_http_in_a_tunnel_is_answered_and_cached() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = connect(client)
        for status in (b"200", b"203"):
            client.send_data(stream, get_in_tunnel(origin, "/fresh"))
            while not client.streams.get(stream, Received()).content.endswith(b"\r\n\r\n/fresh"):
                await client.read_frame()
            assert client.streams[stream].content.startswith(b"HTTP/1.1 " + status)
            client.streams[stream].content = b""
        assert len(origin.requests) == 1

    run_conversation(conversation, echo_path)


def test_tls_in_a_tunnel_is_intercepted() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = connect(client)
        client.send_data(stream, client_hello("a.example", "http/1.1"))
        await head_on(client, stream)
        server_hello = await content_on(client, stream, 6)
        assert server_hello.startswith(b"\x16\x03")
        assert origin.connections == 0

    run_conversation(conversation, echo_path, secure=origin_tls())


def test_a_large_copy_on_disk_is_sent_in_a_tunnel(tmp_path: Path) -> None:
    """The kernel must not send the file to the connection's socket, past the frames."""
    head = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 1000000\r\n\r\n"

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin, {INITIAL_WINDOW_SIZE: 2**24})
        client.widen(0, 2**24)
        stream = connect(client)
        for _ in range(2):
            client.send_data(stream, get_in_tunnel(origin, "/a"))
            while not client.streams.get(stream, Received()).content.endswith(LARGE_BODY[:1_000_000]):
                await client.read_frame()
            client.streams[stream].content = b""
        assert len(origin.requests) == 1

    store = {"kind": "disk", "path": str(tmp_path), "max_size": 2**26}
    run_conversation(conversation, answering(head + LARGE_BODY[:1_000_000]), store=store, memory={"max_size": 0})


def test_a_tunnel_to_a_closed_port_resets_its_stream() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        stream = connect(client, f"127.0.0.1:{free_port()}")
        client.send_data(stream, b"\x00\x01\x02")
        assert (await client.response(stream)).reset is ErrorCode.CONNECT_ERROR

    run_conversation(conversation, echo)


def test_a_tunnel_to_a_port_that_clients_may_not_reach_is_refused() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        response = await client.response(connect(client, "a.example:25"))
        assert response.status == 403
        assert b"reason: connect-port\n" in response.content

    run_conversation(conversation, echo, listen="0.0.0.0:0")


def test_a_tunnel_whose_request_declares_content_is_refused() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        head = [(":method", "CONNECT"), (":authority", client.authority), ("content-length", "5")]
        assert (await client.response(client.send_head(head, end_stream=False))).status == 400
        assert not origin.requests

    run_conversation(conversation, echo)


def test_a_tunnel_inside_a_tunnel_is_refused() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client_in_tunnel(front_end, origin)
        assert (await client.response(connect(client))).status == 405
        assert authority_of(origin) == client.authority

    run_conversation(conversation, echo_path, secure=origin_tls())
