"""Tunnels that stay closed to us: every octet passes, as it is, both ways."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from addon.frontend.connect.raw_tunnel import TUNNEL_TIMEOUT
from tests.addon.frontend.connect.test_tunnel import hello
from tests.addon.frontend.doorway import Doorway, by_path, converse, origin_tls, request, trusting, until
from tests.fixtures.origin_client import closed_port
from tests.fixtures.raw_origin import Peer, RawOrigin, endless


async def echo(peer: Peer) -> None:
    while octets := await peer._reader.read(65_536):
        await peer.send(octets)


async def greeting(peer: Peer) -> None:
    """A protocol in which the server speaks first."""
    await peer.send(b"220 hello\r\n")
    assert await peer.request(b"\r\n") == b"QUIT\r\n"
    await peer.send(b"221 bye\r\n")


def test_tls_that_is_left_alone_is_the_origins_own() -> None:
    """mitmproxy took it off, with a certificate of ours, and went on in clear."""

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        authority = f"127.0.0.1:{origin.port}"
        client = await doorway.tunnel(authority)
        with pytest.raises(ssl.SSLCertVerificationError):  # by an authority that is not ours
            await client.start_tls(trusting())
        theirs = ssl.create_default_context(cafile=str(Path(doorway.settings.origin.ca_files[0])))
        client = await doorway.tunnel(authority, theirs)
        assert (await client.ask(request("GET /fresh HTTP/1.1", f"Host: {authority}"))).status == 200
        assert not doorway.stored()
        assert not doorway.handed_over

    converse(conversation, by_path, secure=origin_tls(), tls={"leave_alone": ["127.0.0.1"]})


@pytest.mark.parametrize("pattern", ["localhost", "*host"])
def test_hosts_are_left_alone_by_name(pattern: str) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        octets = hello("localhost", "h2")
        client = await doorway.tunnel(f"localhost:{origin.port}")
        client.send(octets)
        assert await client.octets(len(octets)) == octets
        client = await doorway.tunnel(f"127.0.0.1:{origin.port}")
        client.send(octets)
        await until(lambda: bool(doorway.handed_over))

    converse(conversation, echo, tls={"leave_alone": [pattern]})


@pytest.mark.parametrize("octets", [b"SSH-2.0-x\r\n", b"NICK a\r\n", b"EHLO a.example\r\n", b"\x00\x01\x02", b"220 hi"])
def test_what_is_neither_tls_nor_http_passes(octets: bytes) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.tunnel(f"127.0.0.1:{origin.port}")
        client.send(octets)
        assert await client.octets(len(octets)) == octets
        large = b"\x00\xff" * 500_000
        client.send(large)
        assert await client.octets(len(large)) == large
        client.end()
        assert await client.rest() == b""
        await until(lambda: not doorway.connections)

    converse(conversation, echo)


def test_a_server_that_speaks_first_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """mitmproxy waited for the client."""
    monkeypatch.setattr("addon.frontend.connect.tunnel.SERVER_FIRST_DELAY", 0.01)

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.tunnel(f"127.0.0.1:{origin.port}")
        assert await client.octets(11) == b"220 hello\r\n"
        client.send(b"QUIT\r\n")
        assert await client.rest() == b"221 bye\r\n"

    converse(conversation, greeting)


def test_an_end_that_does_not_read_makes_the_other_wait() -> None:
    async def deaf(peer: Peer) -> None:
        peer._writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(60)

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.tunnel(f"127.0.0.1:{origin.port}")
        client.send(b"\x00\x01\x02")
        while client.writer.transport.get_write_buffer_size() < 2**22:
            client.send(b"a" * 2**16)
            await asyncio.sleep(0)
        (pipe,) = doorway.connections
        await until(lambda: pipe._origin.transport is not None)  # type: ignore[attr-defined]
        assert pipe._origin.transport.get_write_buffer_size() <= 2**19  # type: ignore[attr-defined]

    converse(conversation, deaf)


def test_a_tunnel_in_which_nobody_speaks_ends_at_last() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.tunnel(f"127.0.0.1:{origin.port}")
        client.send(b"\x00\x01\x02")
        await client.octets(3)
        doorway.later(TUNNEL_TIMEOUT - 1)
        client.send(b"a")
        await client.octets(1)
        doorway.later(TUNNEL_TIMEOUT - 1)
        assert doorway.connections
        doorway.later(2)
        assert await client.rest() == b""
        assert not doorway.connections

    converse(conversation, echo)


def test_a_tunnel_to_where_nobody_listens_is_cut() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.tunnel(f"127.0.0.1:{closed_port()}")
        client.send(b"\x00\x01\x02")
        assert await client.rest() == b""
        assert not doorway.connections

    converse(conversation, endless)
