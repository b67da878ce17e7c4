"""Who the origin is, and where its answer ends, over TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import nullcontext
from pathlib import Path

import pytest

from addon.origin import FailureKind, OriginClient, OriginFailure, OriginOptions
from cache.http.messages import Request
from tests.fixtures.origin_client import converse, get_securely, whole
from tests.fixtures.raw_origin import OK, QUICK, Peer, RawOrigin, Script, answering
from tests.fixtures.throwaway_ca import Authority

pytestmark = pytest.mark.usefixtures("each_loop")

UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nabc"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "throwaway")


def trusting(authority: Authority, **given: float) -> OriginOptions:
    return OriginOptions(proxy="none", ca_files=(str(authority.file),), **given)  # type: ignore[arg-type]  # timeouts


def answer_of(host: str, script: Script, tls: ssl.SSLContext, options: OriginOptions) -> bytes:
    async def conversation(client: OriginClient, origin: RawOrigin) -> bytes:
        return await whole(await client.fetch(get_securely(origin, host)))

    return converse(conversation, script, tls=tls, options=options)


def failure_of(host: str, script: Script, tls: ssl.SSLContext | None, options: OriginOptions) -> OriginFailure:
    async def conversation(client: OriginClient, origin: RawOrigin) -> OriginFailure:
        with pytest.raises(OriginFailure) as caught:
            await whole(await client.fetch(get_securely(origin, host)))
        return caught.value

    return converse(conversation, script, tls=tls, options=options)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_an_origin_with_a_trusted_certificate_of_its_name_is_asked(host: str, authority: Authority) -> None:
    tls = authority.context("localhost", "127.0.0.1")
    assert answer_of(host, answering(OK), tls, trusting(authority)) == b"ok"


def test_the_systems_trust_is_what_ssl_cert_file_names(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    assert answer_of("localhost", answering(OK), authority.context("localhost"), OriginOptions(proxy="none")) == b"ok"


@pytest.mark.parametrize("eager", [False, True])
def test_tls_connections_are_used_again(eager: bool, authority: Authority) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        for _ in range(3):
            assert await whole(await client.fetch(get_securely(origin))) == b"ok"
        return origin.connections

    tls = authority.context("localhost")
    assert converse(conversation, answering(OK, OK, OK), tls=tls, options=trusting(authority), eager=eager) == 1


def test_the_origin_learns_name_and_protocol(authority: Authority) -> None:
    tls = authority.context("localhost")
    tls.set_alpn_protocols(["h2", "http/1.1"])
    asked, chosen = list[str | None](), list[str | None]()
    tls.sni_callback = lambda _socket, name, _context: asked.append(name)

    async def script(peer: Peer) -> None:
        chosen.append(peer.protocol())
        await answering(OK)(peer)

    answer_of("localhost", script, tls, trusting(authority))
    assert (asked, chosen) == (["localhost"], ["http/1.1"])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_certificate_of_another_name_is_refused(host: str, authority: Authority) -> None:
    failure = failure_of(host, answering(OK), authority.context("other.test", "127.0.0.2"), trusting(authority))
    assert (failure.kind, failure.disconnected) == (FailureKind.TLS_CERTIFICATE_ERROR, False)


@pytest.mark.row("SEC-08")
def test_a_certificate_of_an_unknown_authority_is_refused(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    failure = failure_of("localhost", answering(OK), stranger.context("localhost"), trusting(authority))
    assert (failure.kind, failure.disconnected) == (FailureKind.TLS_CERTIFICATE_ERROR, False)
    assert "localhost:" in failure.detail


def test_a_refused_handshake_is_an_alert(authority: Authority) -> None:
    async def refusing(peer: Peer) -> None:
        await peer.send(b"\x15\x03\x03\x00\x02\x02\x28")  # fatal, handshake_failure
        await peer.close()

    failure = failure_of("localhost", refusing, None, trusting(authority))
    assert (failure.kind, failure.disconnected) == (FailureKind.TLS_ALERT_RECEIVED, False)


def test_an_origin_that_speaks_no_tls_is_a_tls_protocol_error(authority: Authority) -> None:
    async def in_clear(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await peer.close()

    failure = failure_of("localhost", in_clear, None, trusting(authority))
    assert (failure.kind, failure.disconnected) == (FailureKind.TLS_PROTOCOL_ERROR, False)


def test_an_origin_that_closes_during_the_handshake_is_disconnected(authority: Authority) -> None:
    async def closing(peer: Peer) -> None:
        await peer.close()

    failure = failure_of("localhost", closing, None, trusting(authority))
    assert (failure.kind, failure.disconnected) == (FailureKind.CONNECTION_TERMINATED, True)


def test_a_handshake_that_takes_too_long_is_a_connection_timeout(authority: Authority) -> None:
    async def silent(peer: Peer) -> None:
        await asyncio.sleep(60)

    failure = failure_of("localhost", silent, None, trusting(authority, connect_timeout=QUICK))
    assert (failure.kind, failure.disconnected) == (FailureKind.CONNECTION_TIMEOUT, True)


# Where an answer without a length ends


def until_close(*, cut: bool) -> Script:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(UNTIL_CLOSE)
        if cut:
            peer.cut()
        else:
            await peer.close()

    return script


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_close_notify_ends_a_body_without_a_length(version: ssl.TLSVersion, authority: Authority) -> None:
    tls = authority.context("localhost")
    tls.minimum_version = tls.maximum_version = version
    assert answer_of("localhost", until_close(cut=False), tls, trusting(authority)) == b"abc"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_cut_connection_does_not_end_it(version: ssl.TLSVersion, authority: Authority) -> None:
    tls = authority.context("localhost")
    tls.minimum_version = tls.maximum_version = version
    failure = failure_of("localhost", until_close(cut=True), tls, trusting(authority))
    assert (failure.kind, failure.disconnected) == (FailureKind.HTTP_RESPONSE_INCOMPLETE, False)


@pytest.mark.parametrize("cut", [False, True])
def test_a_slow_reader_sees_the_same_end(cut: bool, authority: Authority) -> None:
    size = 4 * 1024 * 1024

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * size)
        if cut:
            peer.cut()
        else:
            await peer.close()

    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        received = 0
        with pytest.raises(OriginFailure) if cut else nullcontext():
            async for chunk in (await client.fetch(get_securely(origin))).body():
                received += len(chunk)
                await asyncio.sleep(0.001)
        return received

    tls = authority.context("localhost")
    received = converse(conversation, script, tls=tls, options=trusting(authority))
    assert received == size or cut


def test_a_length_needs_no_close_notify(authority: Authority) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        peer.cut()

    assert answer_of("localhost", script, authority.context("localhost"), trusting(authority)) == b"ok"


def test_an_idle_connection_is_closed_with_close_notify(authority: Authority) -> None:
    def serve(listener: socket.socket) -> bytes:
        connection, _ = listener.accept()
        tls = authority.context("localhost")
        with tls.wrap_socket(connection, server_side=True, suppress_ragged_eofs=False) as peer:
            peer.recv(65_536)
            peer.sendall(OK)
            return peer.recv(1)

    async def conversation(client: OriginClient, origin: RawOrigin) -> bytes:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            end = asyncio.create_task(asyncio.to_thread(serve, listener))
            port = listener.getsockname()[1]
            await whole(await client.fetch(Request("GET", "https", "localhost", port, "/")))
            return await end

    assert converse(conversation, answering(OK), options=trusting(authority, idle_timeout=QUICK)) == b""


def test_https_and_http_to_one_port_share_no_connection(authority: Authority) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        await whole(await client.fetch(get_securely(origin)))
        with pytest.raises(OriginFailure):
            await client.fetch(Request("GET", "http", "localhost", origin.port, "/"))
        return len(origin.requests)

    tls = authority.context("localhost")
    assert converse(conversation, answering(OK, OK), tls=tls, options=trusting(authority)) == 1
