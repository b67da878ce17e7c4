"""TLS: the verification of the origin, and the end of a response."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import nullcontext
from pathlib import Path

import pytest

from addon.origin import FailureKind, OriginClient, OriginFailure, OriginOptions
from cache.http.messages import Request
from tests.fixtures.origin_client import get_securely, run_conversation, whole
from tests.fixtures.raw_origin import OK, SHORT_TIMEOUT, Peer, RawOrigin, Script, answering
from tests.fixtures.throwaway_ca import ThrowawayCA

pytestmark = pytest.mark.usefixtures("each_loop")

UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nabc"


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> ThrowawayCA:
    return ThrowawayCA(tmp_path_factory.mktemp("ca"), "throwaway")


def trusting(ca: ThrowawayCA, **given: float) -> OriginOptions:
    return OriginOptions(proxy="none", ca_files=(str(ca.file),), **given)  # type: ignore[arg-type]  # timeouts


def answer_of(host: str, script: Script, tls: ssl.SSLContext, options: OriginOptions) -> bytes:
    async def conversation(client: OriginClient, origin: RawOrigin) -> bytes:
        return await whole(await client.fetch(get_securely(origin, host)))

    return run_conversation(conversation, script, tls=tls, options=options)


def failure_of(host: str, script: Script, tls: ssl.SSLContext | None, options: OriginOptions) -> OriginFailure:
    async def conversation(client: OriginClient, origin: RawOrigin) -> OriginFailure:
        with pytest.raises(OriginFailure) as caught:
            await whole(await client.fetch(get_securely(origin, host)))
        return caught.value

    return run_conversation(conversation, script, tls=tls, options=options)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_an_origin_with_a_trusted_certificate_for_its_name_gets_the_request(host: str, ca: ThrowawayCA) -> None:
    tls = ca.server_context("localhost", "127.0.0.1")
    assert answer_of(host, answering(OK), tls, trusting(ca)) == b"ok"


def test_the_variable_ssl_cert_file_names_the_trusted_cas(ca: ThrowawayCA, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    assert answer_of("localhost", answering(OK), ca.server_context("localhost"), OriginOptions(proxy="none")) == b"ok"


@pytest.mark.parametrize("eager", [False, True])
def test_tls_connections_are_used_again(eager: bool, ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        for _ in range(3):
            assert await whole(await client.fetch(get_securely(origin))) == b"ok"
        return origin.connections

    tls = ca.server_context("localhost")
    assert run_conversation(conversation, answering(OK, OK, OK), tls=tls, options=trusting(ca), eager=eager) == 1


def test_sni_and_alpn_are_sent(ca: ThrowawayCA) -> None:
    tls = ca.server_context("localhost")
    tls.set_alpn_protocols(["h2", "http/1.1"])
    names, protocols = list[str | None](), list[str | None]()
    tls.sni_callback = lambda _socket, name, _context: names.append(name)

    async def script(peer: Peer) -> None:
        protocols.append(peer.protocol())
        await answering(OK)(peer)

    answer_of("localhost", script, tls, trusting(ca, http2=False))
    assert (names, protocols) == (["localhost"], ["http/1.1"])


def test_the_failure_for_an_unknown_issuer_names_the_setting_for_more_cas(ca: ThrowawayCA) -> None:
    tls, ours = ca.server_context("localhost"), OriginOptions(proxy="none")
    assert "origin.ca_files names further CAs to trust" in failure_of("localhost", answering(OK), tls, ours).detail
    assert "ca_files" not in failure_of("127.0.0.1", answering(OK), tls, trusting(ca)).detail  # another name


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_certificate_for_another_name_is_refused(host: str, ca: ThrowawayCA) -> None:
    failure = failure_of(host, answering(OK), ca.server_context("other.test", "127.0.0.2"), trusting(ca))
    assert (failure.kind, failure.disconnected) == (FailureKind.TLS_CERTIFICATE_ERROR, False)


@pytest.mark.row("SEC-08")
def test_a_certificate_from_an_unknown_ca_is_refused(ca: ThrowawayCA, tmp_path: Path) -> None:
    unknown_ca = ThrowawayCA(tmp_path, "unknown")
    failure = failure_of("localhost", answering(OK), unknown_ca.server_context("localhost"), trusting(ca))
    assert (failure.kind, failure.disconnected) == (FailureKind.TLS_CERTIFICATE_ERROR, False)
    assert "localhost:" in failure.detail


def test_a_tls_alert_is_reported_as_such(ca: ThrowawayCA) -> None:
    async def refusing(peer: Peer) -> None:
        await peer.send(b"\x15\x03\x03\x00\x02\x02\x28")  # fatal, handshake_failure
        await peer.close()

    failure = failure_of("localhost", refusing, None, trusting(ca))
    assert (failure.kind, failure.disconnected) == (FailureKind.TLS_ALERT_RECEIVED, False)


def test_an_origin_without_tls_is_a_tls_protocol_error(ca: ThrowawayCA) -> None:
    async def in_clear(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await peer.close()

    failure = failure_of("localhost", in_clear, None, trusting(ca))
    assert (failure.kind, failure.disconnected) == (FailureKind.TLS_PROTOCOL_ERROR, False)


def test_an_origin_that_closes_during_the_handshake_is_disconnected(ca: ThrowawayCA) -> None:
    async def closing(peer: Peer) -> None:
        await peer.close()

    failure = failure_of("localhost", closing, None, trusting(ca))
    assert (failure.kind, failure.disconnected) == (FailureKind.CONNECTION_TERMINATED, True)


def test_a_handshake_that_takes_too_long_is_a_connection_timeout(ca: ThrowawayCA) -> None:
    async def silent(peer: Peer) -> None:
        await asyncio.sleep(60)

    failure = failure_of("localhost", silent, None, trusting(ca, connect_timeout=SHORT_TIMEOUT))
    assert (failure.kind, failure.disconnected) == (FailureKind.CONNECTION_TIMEOUT, True)


# The end of a response without a length


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
def test_close_notify_ends_a_body_without_a_length(version: ssl.TLSVersion, ca: ThrowawayCA) -> None:
    tls = ca.server_context("localhost")
    tls.minimum_version = tls.maximum_version = version
    assert answer_of("localhost", until_close(cut=False), tls, trusting(ca)) == b"abc"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_connection_cut_without_close_notify_does_not_end_a_body_without_a_length(
    version: ssl.TLSVersion, ca: ThrowawayCA
) -> None:
    tls = ca.server_context("localhost")
    tls.minimum_version = tls.maximum_version = version
    failure = failure_of("localhost", until_close(cut=True), tls, trusting(ca))
    assert (failure.kind, failure.disconnected) == (FailureKind.HTTP_RESPONSE_INCOMPLETE, False)


@pytest.mark.parametrize("cut", [False, True])
def test_a_slow_reader_gets_the_same_end(cut: bool, ca: ThrowawayCA) -> None:
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

    tls = ca.server_context("localhost")
    received = run_conversation(conversation, script, tls=tls, options=trusting(ca))
    assert received == size or cut


def test_a_length_needs_no_close_notify(ca: ThrowawayCA) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        peer.cut()

    assert answer_of("localhost", script, ca.server_context("localhost"), trusting(ca)) == b"ok"


def test_an_idle_connection_is_closed_with_close_notify(ca: ThrowawayCA) -> None:
    def serve(listener: socket.socket) -> bytes:
        connection, _ = listener.accept()
        tls = ca.server_context("localhost")
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

    assert run_conversation(conversation, answering(OK), options=trusting(ca, idle_timeout=SHORT_TIMEOUT)) == b""


def test_https_and_http_to_one_port_share_no_connection(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        await whole(await client.fetch(get_securely(origin)))
        with pytest.raises(OriginFailure):
            await client.fetch(Request("GET", "http", "localhost", origin.port, "/"))
        return len(origin.requests)

    tls = ca.server_context("localhost")
    assert run_conversation(conversation, answering(OK, OK), tls=tls, options=trusting(ca)) == 1
