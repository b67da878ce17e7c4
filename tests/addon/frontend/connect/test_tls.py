"""Intercepted TLS: the requests inside, and the end of the connection."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from addon.frontend.connections import HEAD_TIMEOUT, STALL_TIMEOUT
from tests.addon.frontend.front_end import (
    LARGE_BODY,
    READ_SIZE,
    Client,
    FrontEndUnderTest,
    authority_of,
    client_hello,
    client_tls,
    echo_path,
    get_in_tunnel,
    is_blocked,
    large,
    origin_tls,
    run_conversation,
    unread,
)
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin, endless
from tests.fixtures.until import until


class TlsClient:
    """TLS on a raw connection, one record at a time."""

    def __init__(self, connection: Client, context: ssl.SSLContext | None = None) -> None:
        self.connection = connection
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = context or client_tls()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="127.0.0.1")

    async def shake_hands(self) -> None:
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self.flush()
                self.incoming.write(await self.connection.reader.read(READ_SIZE))
                continue
            self.flush()
            return

    def flush(self) -> None:
        self.connection.send(self.outgoing.read())

    def send(self, data: bytes) -> None:
        self.tls.write(data)
        self.flush()

    def send_close_notify(self) -> None:
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.flush()

    async def rest(self) -> bytes:
        """Return everything up to close_notify. Raises ssl.SSLError if the connection ends without it."""
        received = b""
        while True:
            try:
                data = self.tls.read(READ_SIZE)
            except ssl.SSLWantReadError:
                data = await self.connection.reader.read(READ_SIZE)
                self.incoming.write(data) if data else self.incoming.write_eof()
                continue
            except (ssl.SSLZeroReturnError, ssl.SSLSyscallError):
                return received
            if not data:
                return received
            received += data


async def tls_client(front_end: FrontEndUnderTest, origin: RawOrigin) -> TlsClient:
    """Return a client inside intercepted TLS."""
    client = TlsClient(await front_end.tunnel(authority_of(origin)))
    await client.shake_hands()
    return client


def test_pipelined_requests_in_one_record_or_many_are_answered_in_order() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin), client_tls())
        requests = b"".join(get_in_tunnel(origin, path) for path in ("/fresh", "/miss", "/fresh"))
        client.send(requests)
        assert [(await client.response()).body for _ in range(3)] == [b"/fresh", b"/miss", b"/fresh"]
        for byte in requests:
            client.send(bytes([byte]))
        assert [(await client.response()).body for _ in range(3)] == [b"/fresh", b"/miss", b"/fresh"]

    run_conversation(conversation, echo_path, secure=origin_tls())


def test_a_client_that_sends_close_notify_gets_its_response_and_close_notify() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await tls_client(front_end, origin)
        client.send(get_in_tunnel(origin, "/a"))
        client.send_close_notify()
        assert (await client.rest()).endswith(b"\r\n\r\n/a")
        assert await client.connection.rest() == b""
        await until(lambda: not front_end.connections)

    run_conversation(conversation, echo_path, secure=origin_tls())


def test_a_client_that_ends_without_close_notify_gets_its_response() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await tls_client(front_end, origin)
        client.send(get_in_tunnel(origin, "/a"))
        client.connection.end_sending()
        assert (await client.rest()).endswith(b"\r\n\r\n/a")

    run_conversation(conversation, echo_path, secure=origin_tls())


def test_a_response_that_ends_the_connection_ends_it_with_close_notify() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await tls_client(front_end, origin)
        client.send(get_in_tunnel(origin, "/a", "Connection: close"))
        assert (await client.rest()).endswith(b"\r\n\r\n/a")

    run_conversation(conversation, echo_path, secure=origin_tls())


def test_a_response_that_is_cut_off_ends_without_close_notify() -> None:
    async def ends_short(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"Content-Length: 10\r\n\r\nhello")
        await asyncio.sleep(0.01)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await tls_client(front_end, origin)
        client.send(get_in_tunnel(origin, "/a"))
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await client.rest()

    run_conversation(conversation, ends_short, secure=origin_tls())


@pytest.mark.parametrize(
    "garbage",
    [b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 100, b"\x17\x03\x03\x00\x20" + b"x" * 32, b"\xff" * 2**17],
    ids=["clear text", "zeros", "record that cannot be decrypted", "128 KiB"],
)
def test_garbage_after_the_handshake_ends_the_connection(garbage: bytes) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await tls_client(front_end, origin)
        client.send(get_in_tunnel(origin, "/a"))
        await until(lambda: bool(origin.requests))
        client.connection.send(garbage)
        await client.connection.rest()
        await until(lambda: not front_end.connections)
        assert len(origin.requests) == 1

    run_conversation(conversation, echo_path, secure=origin_tls())


async def client_in_handshake(front_end: FrontEndUnderTest, origin: RawOrigin) -> Client:
    """Return a client that has sent its first bytes of TLS, and has seen that the proxy answers them."""
    client = await front_end.tunnel(authority_of(origin))
    client.send(client_hello("a.example"))
    await client.read(5)
    return client


def test_garbage_in_the_handshake_ends_the_connection() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await client_in_handshake(front_end, origin)
        client.send(b"\x16\x03\x03\x00\x05hello")
        await client.rest()
        await until(lambda: not front_end.connections)

    run_conversation(conversation, endless, secure=origin_tls())


def test_an_incomplete_handshake_has_a_deadline() -> None:
    """See docs/decisions.md, "Slow clients have deadlines"."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await client_in_handshake(front_end, origin)
        front_end.advance_deadlines(HEAD_TIMEOUT + 1)
        await client.rest()
        assert not front_end.connections

    run_conversation(conversation, endless, secure=origin_tls())


def test_a_connection_whose_client_does_not_trust_the_ca_is_removed() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin))
        with pytest.raises(ssl.SSLError):
            await client.start_tls(ssl.create_default_context())
        await until(lambda: not front_end.connections)

    run_conversation(conversation, endless, secure=origin_tls())


def test_a_large_response_to_a_slow_client_arrives_complete() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin), client_tls())
        client.send(get_in_tunnel(origin, "/a"))
        head = await client.head()
        (connection,) = front_end.connections
        body = b""
        while len(body) < len(LARGE_BODY):
            body += await client.reader.read(READ_SIZE)
            assert unread(connection) <= 2**19
            front_end.advance_deadlines(1)
        assert head.startswith(b"HTTP/1.1 200 ")
        assert body == LARGE_BODY

    run_conversation(conversation, large, secure=origin_tls())


def test_a_client_that_does_not_read_is_cut_off() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await tls_client(front_end, origin)
        client.connection.stop_reading()
        client.send(get_in_tunnel(origin, "/a") * 10)
        await until(lambda: any(map(is_blocked, front_end.connections)))
        front_end.advance_deadlines(STALL_TIMEOUT + 1)
        await until(lambda: not front_end.connections)

    run_conversation(conversation, large, secure=origin_tls())


# ---- clients that do not accept the certificate


def test_a_client_that_leaves_without_a_request_has_perhaps_not_accepted_the_certificate() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        distrust = front_end.service.distrust
        with_close_notify = await tls_client(front_end, origin)
        with_close_notify.send_close_notify()
        await until(lambda: distrust.hosts == {"127.0.0.1": 1})
        (await tls_client(front_end, origin)).connection.end_sending()
        await until(lambda: distrust.hosts == {"127.0.0.1": 2})
        in_the_handshake = await front_end.tunnel(authority_of(origin))
        in_the_handshake.send(client_hello("127.0.0.1"))
        await in_the_handshake.reader.read(1)
        in_the_handshake.end_sending()
        await until(lambda: distrust.hosts == {"127.0.0.1": 3})

        client = await front_end.tunnel(authority_of(origin), client_tls())
        client.send(get_in_tunnel(origin, "/a"))
        await client.response()
        assert distrust.hosts == {}

    run_conversation(conversation, echo_path, secure=origin_tls())


def test_a_connection_that_the_proxy_ends_says_nothing_about_the_certificate() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        await tls_client(front_end, origin)
        front_end.advance_deadlines(HEAD_TIMEOUT + 1)
        await until(lambda: not front_end.connections)
        assert front_end.service.distrust.hosts == {}

    run_conversation(conversation, echo_path, secure=origin_tls())


def test_an_alert_about_the_certificate_names_the_host() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = TlsClient(await front_end.tunnel(authority_of(origin)), ssl.create_default_context())
        with pytest.raises(ssl.SSLCertVerificationError):
            await client.shake_hands()
        client.flush()  # the alert
        await until(lambda: front_end.service.distrust.hosts == {"127.0.0.1": 1})
        assert front_end.service.counters.snapshot()["distrusted"] == 1

    run_conversation(conversation, echo_path, secure=origin_tls())


def test_a_client_without_a_common_protocol_is_not_taken_for_one_that_distrusts() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        old = client_tls()
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        old.set_ciphers("NULL-SHA256:@SECLEVEL=0")
        with pytest.raises(ssl.SSLError):
            await front_end.tunnel(authority_of(origin), old)
        await until(lambda: front_end.service.counters.snapshot()["tls_failures"] == 1)
        assert front_end.service.distrust.hosts == {}

    run_conversation(conversation, echo_path, secure=origin_tls())
