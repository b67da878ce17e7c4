"""TLS that the door takes off: what is said inside, and how it ends."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from addon.frontend.connections import HEAD_TIMEOUT, STALL_TIMEOUT
from tests.addon.frontend.connect.test_tunnel import hello
from tests.addon.frontend.doorway import (
    Client,
    Doorway,
    by_path,
    converse,
    is_blocked,
    origin_tls,
    request,
    trusting,
    until,
)
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin, endless

LARGE = 4 * 2**20


def inside(origin: RawOrigin, path: str, *lines: str) -> bytes:
    return request(f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{origin.port}", *lines)


class ByHand:
    """TLS on a connection, one record at a time."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = trusting().wrap_bio(self.incoming, self.outgoing, server_hostname="127.0.0.1")

    async def shake_hands(self) -> None:
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self.flush()
                self.incoming.write(await self.client.reader.read(65_536))
                continue
            self.flush()
            return

    def flush(self) -> None:
        self.client.send(self.outgoing.read())

    def say(self, octets: bytes) -> None:
        self.tls.write(octets)
        self.flush()

    def end(self) -> None:
        """Say close_notify, and go on reading."""
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.flush()

    async def rest(self) -> bytes:
        """Return what is said until close_notify. Raises ssl.SSLError where that does not come."""
        received = b""
        while True:
            try:
                octets = self.tls.read(65_536)
            except ssl.SSLWantReadError:
                octets = await self.client.reader.read(65_536)
                self.incoming.write(octets) if octets else self.incoming.write_eof()
                continue
            except (ssl.SSLZeroReturnError, ssl.SSLSyscallError):
                return received
            if not octets:
                return received
            received += octets


async def by_hand(doorway: Doorway, origin: RawOrigin) -> ByHand:
    client = ByHand(await doorway.tunnel(f"127.0.0.1:{origin.port}"))
    await client.shake_hands()
    return client


def test_pipelined_requests_in_one_record_or_many_are_answered_in_order() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.tunnel(f"127.0.0.1:{origin.port}", trusting())
        asked = inside(origin, "/fresh") + inside(origin, "/miss") + inside(origin, "/fresh")
        client.send(asked)
        assert [(await client.answer()).body for _ in range(3)] == [b"/fresh", b"/miss", b"/fresh"]
        for octet in asked:
            client.send(bytes([octet]))
        assert [(await client.answer()).body for _ in range(3)] == [b"/fresh", b"/miss", b"/fresh"]

    converse(conversation, by_path, secure=origin_tls())


def test_a_client_that_says_close_notify_gets_its_answer_and_one_back() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await by_hand(doorway, origin)
        client.say(inside(origin, "/a"))
        client.end()
        assert (await client.rest()).endswith(b"\r\n\r\n/a")
        assert await client.client.rest() == b""
        await until(lambda: not doorway.connections)

    converse(conversation, by_path, secure=origin_tls())


def test_a_client_that_ends_without_close_notify_gets_its_answer() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await by_hand(doorway, origin)
        client.say(inside(origin, "/a"))
        client.client.end()
        assert (await client.rest()).endswith(b"\r\n\r\n/a")

    converse(conversation, by_path, secure=origin_tls())


def test_an_answer_that_ends_the_connection_ends_it_with_close_notify() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await by_hand(doorway, origin)
        client.say(inside(origin, "/a", "Connection: close"))
        assert (await client.rest()).endswith(b"\r\n\r\n/a")

    converse(conversation, by_path, secure=origin_tls())


def test_an_answer_that_is_cut_ends_without_close_notify() -> None:
    async def short(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"Content-Length: 10\r\n\r\nhello")
        await asyncio.sleep(0.01)

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await by_hand(doorway, origin)
        client.say(inside(origin, "/a"))
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await client.rest()

    converse(conversation, short, secure=origin_tls())


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 100, b"\x17\x03\x03\x00\x20" + b"x" * 32, b"\xff" * 2**17]
)
def test_garbage_behind_the_handshake_is_the_end(garbage: bytes) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await by_hand(doorway, origin)
        client.say(inside(origin, "/a"))
        await until(lambda: bool(origin.requests))
        client.client.send(garbage)
        await client.client.rest()
        await until(lambda: not doorway.connections)
        assert len(origin.requests) == 1

    converse(conversation, by_path, secure=origin_tls())


def test_garbage_in_the_handshake_is_the_end() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.tunnel(f"127.0.0.1:{origin.port}")
        client.send(hello("a.example"))
        await client.octets(5)
        client.send(b"\x16\x03\x03\x00\x05hello")
        await client.rest()
        await until(lambda: not doorway.connections)

    converse(conversation, endless, secure=origin_tls())


def test_a_handshake_that_does_not_go_on_is_waited_for_only_so_long() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.tunnel(f"127.0.0.1:{origin.port}")
        client.send(hello("a.example"))
        await client.octets(5)
        doorway.later(HEAD_TIMEOUT + 1)
        await client.rest()
        assert not doorway.connections

    converse(conversation, endless, secure=origin_tls())


def test_a_client_that_trusts_nobody_leaves_nothing_behind() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.tunnel(f"127.0.0.1:{origin.port}")
        with pytest.raises(ssl.SSLError):
            await client.start_tls(ssl.create_default_context())
        await until(lambda: not doorway.connections)

    converse(conversation, endless, secure=origin_tls())


async def large(peer: Peer) -> None:
    while True:
        await peer.request()
        await peer.send(HEAD + b"Content-Length: %d\r\n\r\n" % LARGE)
        for number in range(LARGE // 2**16):
            await peer.send(bytes([number]) * 2**16)


def test_a_large_answer_waits_for_a_slow_reader_and_arrives_whole() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.tunnel(f"127.0.0.1:{origin.port}", trusting())
        client.send(inside(origin, "/a"))
        received = await client.head()
        (connection,) = doorway.connections
        body = b""
        while len(body) < LARGE:
            body += await client.reader.read(2**16)
            assert connection.transport.get_write_buffer_size() <= 2**19  # type: ignore[attr-defined]
            doorway.later(1)
        assert received.startswith(b"HTTP/1.1 200 ")
        assert body == b"".join(bytes([number]) * 2**16 for number in range(LARGE // 2**16))

    converse(conversation, large, secure=origin_tls())


def test_a_client_that_does_not_read_is_cut() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await by_hand(doorway, origin)
        client.client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        client.say(inside(origin, "/a") * 10)
        await until(lambda: any(map(is_blocked, doorway.connections)))
        doorway.later(STALL_TIMEOUT + 1)
        await until(lambda: not doorway.connections)

    converse(conversation, large, secure=origin_tls())


def test_a_socket_upgrade_inside_tls_goes_to_mitmproxy_with_the_octets_as_they_were() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await by_hand(doorway, origin)
        asked = inside(origin, "/chat", "Connection: Upgrade", "Upgrade: websocket") + b"\x81\x00"
        client.say(asked)
        await client.rest()
        assert doorway.handed_over == [(asked, f"reverse:https://127.0.0.1:{origin.port}")]

    converse(conversation, endless, secure=origin_tls())
