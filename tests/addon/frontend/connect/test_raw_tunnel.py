"""Tunnels that stay encrypted or carry no HTTP: every byte is passed on unchanged, in both directions."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from addon.frontend.connect.raw_tunnel import RawTunnel
from tests.addon.frontend.front_end import (
    READ_SIZE,
    FrontEndUnderTest,
    authority_of,
    client_hello,
    client_tls,
    echo_path,
    get_in_tunnel,
    origin_tls,
    run_conversation,
)
from tests.fixtures.free_port import free_port
from tests.fixtures.raw_origin import Peer, RawOrigin, endless
from tests.fixtures.until import until

SERVER_HELLO = 2
"""RFC 8446 §4."""


async def echo(peer: Peer) -> None:
    while data := await peer._reader.read(READ_SIZE):
        await peer.send(data)


def test_tls_of_a_host_that_is_left_alone_is_the_origins_own() -> None:
    """Regression: mitmproxy intercepted it with a certificate of the proxy's CA, and went on in clear text."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin))
        with pytest.raises(ssl.SSLCertVerificationError):  # the certificate is not signed by the proxy's CA
            await client.start_tls(client_tls())
        trusts_origin = ssl.create_default_context(cafile=str(Path(front_end.settings.origin.ca_files[0])))
        client = await front_end.tunnel(authority_of(origin), trusts_origin)
        assert (await client.fetch(get_in_tunnel(origin, "/fresh"))).status == 200
        assert not front_end.entries()

    run_conversation(conversation, echo_path, secure=origin_tls(), tls={"leave_alone": ["127.0.0.1"]})


@pytest.mark.parametrize("pattern", ["localhost", "*host"])
def test_hosts_are_left_alone_by_name(pattern: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        hello = client_hello("localhost", "http/1.1")
        client = await front_end.tunnel(f"localhost:{origin.port}")
        client.send(hello)
        assert await client.read(len(hello)) == hello
        client = await front_end.tunnel(authority_of(origin))
        client.send(hello)
        assert (await client.read(6))[5] == SERVER_HELLO

    run_conversation(conversation, echo, tls={"leave_alone": [pattern]})


@pytest.mark.parametrize("data", [b"SSH-2.0-x\r\n", b"NICK a\r\n", b"EHLO a.example\r\n", b"\x00\x01\x02", b"220 hi"])
def test_other_protocols_than_tls_and_http_are_passed_through(data: bytes) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin))
        client.send(data)
        assert await client.read(len(data)) == data
        large = b"\x00\xff" * 500_000
        client.send(large)
        assert await client.read(len(large)) == large
        client.end_sending()
        assert await client.rest() == b""
        await until(lambda: not front_end.connections)

    run_conversation(conversation, echo)


def test_a_server_may_speak_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: mitmproxy waited for the client."""
    monkeypatch.setattr("addon.frontend.connect.tunnel.SERVER_FIRST_DELAY", 0.01)

    async def greets(peer: Peer) -> None:
        await peer.send(b"220 hello\r\n")
        assert await peer.request(b"\r\n") == b"QUIT\r\n"
        await peer.send(b"221 bye\r\n")

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin))
        assert await client.read(11) == b"220 hello\r\n"
        client.send(b"QUIT\r\n")
        assert await client.rest() == b"221 bye\r\n"

    run_conversation(conversation, greets)


def test_an_origin_that_does_not_read_makes_the_client_wait() -> None:
    async def does_not_read(peer: Peer) -> None:
        peer._writer.transport.pause_reading()
        await asyncio.sleep(60)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin))
        client.send(b"\x00\x01\x02")
        while client.unsent < 2**22:
            client.send(b"a" * 2**16)
            await asyncio.sleep(0)
        (tunnel,) = front_end.connections
        await until(lambda: tunnel._origin.transport is not None)
        assert tunnel._origin.transport.get_write_buffer_size() <= 2**19

    run_conversation(conversation, does_not_read)


def test_a_tunnel_without_traffic_ends_after_a_while() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin))
        client.send(b"\x00\x01\x02")
        await client.read(3)
        front_end.advance_deadlines(19)
        client.send(b"a")
        await client.read(1)
        front_end.advance_deadlines(19)
        assert front_end.connections
        front_end.advance_deadlines(2)
        assert await client.rest() == b""
        assert not front_end.connections

    run_conversation(conversation, echo, limits={"tunnel_timeout": 20})


def test_a_client_that_does_not_read_what_a_closed_origin_has_sent_is_not_kept_for_ever() -> None:
    """Regression: the tunnel was forgotten with its origin, and the rest waited for the client without a deadline."""

    async def sends_much(peer: Peer) -> None:
        await peer._reader.read(READ_SIZE)
        await peer.send(b"a" * 2**24)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin))
        client.stop_reading()
        client.send(b"\x00\x01\x02")
        await until(lambda: any(isinstance(each, RawTunnel) for each in front_end.connections))
        (tunnel,) = front_end.connections
        await until(lambda: tunnel._client.transport.get_write_buffer_size() > 0)
        tunnel._origin.transport.abort()
        await until(lambda: tunnel._origin.lost)
        assert front_end.connections
        front_end.advance_deadlines(601)
        await until(lambda: tunnel._client.lost)
        assert not front_end.connections

    run_conversation(conversation, sends_much)


def test_a_tunnel_to_a_closed_port_is_closed() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(f"127.0.0.1:{free_port()}")
        client.send(b"\x00\x01\x02")
        assert await client.rest() == b""
        assert not front_end.connections

    run_conversation(conversation, endless)
