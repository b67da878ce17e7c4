"""TLS alerts of origins: each is named, and explained where there is something to say."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

import pytest

from addon.origin import FailureKind, OriginClient, OriginFailure, OriginOptions
from addon.origin.tls_alerts import ALERTS, received_alert
from cache.http.messages import Request
from tests.fixtures.origin_client import get_securely, run_conversation, whole
from tests.fixtures.raw_origin import OK, Peer, RawOrigin, Script, answering
from tests.fixtures.throwaway_ca import ThrowawayCA

pytestmark = pytest.mark.usefixtures("each_loop")

type Fail = Callable[[Script], OriginFailure]


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> ThrowawayCA:
    return ThrowawayCA(tmp_path_factory.mktemp("ca"), "throwaway")


@pytest.fixture
def fail(ca: ThrowawayCA) -> Fail:
    """Return a function that returns the failure of a request to an origin with a script."""

    def run(script: Script) -> OriginFailure:
        async def conversation(client: OriginClient, origin: RawOrigin) -> OriginFailure:
            with pytest.raises(OriginFailure) as caught:
                await whole(await client.fetch(get_securely(origin)))
            return caught.value

        options = OriginOptions(proxy="none", ca_files=(str(ca.file),))
        return run_conversation(conversation, script, options=options)

    return run


def sending(alert: int) -> Script:
    async def script(peer: Peer) -> None:
        await peer.send(bytes([21, 3, 3, 0, 2, 2, alert]))
        await peer.close()

    return script


@pytest.mark.parametrize(("name", "number"), ALERTS.items())
def test_an_alert_during_the_handshake_is_named(name: str, number: int, fail: Fail) -> None:
    failure = fail(sending(number))
    assert (failure.kind, failure.disconnected) == (FailureKind.TLS_ALERT_RECEIVED, False)
    assert f" sent the TLS alert {name} ({number})" in failure.detail
    assert failure.parameters == (("alert-id", number), ("alert-message", name))


def test_an_unknown_alert_is_a_tls_protocol_error(fail: Fail) -> None:
    failure = fail(sending(255))
    assert failure.kind is FailureKind.TLS_PROTOCOL_ERROR
    assert "failed in the TLS handshake: " in failure.detail
    assert "_ssl.c" not in failure.detail


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        # in TLS 1.2 the lack of a certificate has no alert of its own
        (ssl.TLSVersion.TLSv1_2, "sent the TLS alert handshake_failure (40)"),
        # in TLS 1.3 the handshake has ended for the client when it comes
        (ssl.TLSVersion.TLSv1_3, "sent the TLS alert certificate_required (116): it asks for a client certificate"),
    ],
)
def test_an_origin_that_requires_a_client_certificate(version: ssl.TLSVersion, sentence: str, ca: ThrowawayCA) -> None:
    tls = ca.server_context("localhost")
    tls.minimum_version = tls.maximum_version = version
    tls.verify_mode = ssl.CERT_REQUIRED

    def serve(listener: socket.socket) -> None:  # asyncio's servers send no alert
        connection, _ = listener.accept()
        with connection.dup() as same:
            with suppress(ssl.SSLError):
                tls.wrap_socket(connection, server_side=True)
            while same.recv(65_536):  # a reset could overtake the alert
                pass

    async def conversation(client: OriginClient, origin: RawOrigin) -> OriginFailure:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serving = asyncio.create_task(asyncio.to_thread(serve, listener))
            with pytest.raises(OriginFailure) as caught:
                await client.fetch(Request("GET", "https", "localhost", listener.getsockname()[1], "/"))
            await serving
            return caught.value

    options = OriginOptions(proxy="none", ca_files=(str(ca.file),))
    failure = run_conversation(conversation, answering(OK), options=options)
    assert failure.kind is FailureKind.TLS_ALERT_RECEIVED
    assert sentence in failure.detail
    assert failure.parameters[0][1] == int(sentence.partition("(")[2].partition(")")[0])


@pytest.mark.parametrize(
    ("alert", "explanation"),
    [
        (
            "no_application_protocol",
            "it speaks no HTTP that it was offered (HTTP/2 is not, if origin.http2 is never)",
        ),
        ("protocol_version", "it speaks no version of TLS that this proxy speaks"),
        ("unrecognized_name", "it serves no host of this name"),
    ],
)
def test_an_alert_is_explained(alert: str, explanation: str, fail: Fail) -> None:
    assert fail(sending(ALERTS[alert])).detail.endswith(f" sent the TLS alert {alert} ({ALERTS[alert]}): {explanation}")


def test_an_origin_that_speaks_plain_http_on_the_port_of_an_https_url(fail: Fail) -> None:
    async def in_clear(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await peer.close()

    failure = fail(in_clear)
    assert failure.kind is FailureKind.TLS_PROTOCOL_ERROR
    assert "does not speak TLS on this port, plain HTTP perhaps" in failure.detail


@pytest.mark.parametrize("error", [None, ConnectionResetError(), ssl.SSLEOFError(8, "EOF occurred"), ssl.SSLError()])
def test_other_errors_are_no_alerts(error: Exception | None) -> None:
    assert received_alert(error) is None
