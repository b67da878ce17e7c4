"""Origins that do not speak HTTP/1.1."""

from __future__ import annotations

import pytest

from addon.origin import FailureKind, OriginClient, OriginFailure
from addon.origin.other_protocols import other_protocol
from tests.fixtures.origin_client import get, refusal, run_conversation
from tests.fixtures.raw_origin import OK, Peer, RawOrigin

SETTINGS = bytes.fromhex("000012040000000000") + bytes(18)
GOAWAY = bytes.fromhex("000008070000000000") + bytes(8)

pytestmark = pytest.mark.usefixtures("each_loop")


@pytest.mark.parametrize("data", [SETTINGS, SETTINGS[:2], GOAWAY])
def test_an_origin_that_speaks_http_2_only_is_recognised(data: bytes) -> None:
    failure = refusal(data)
    assert (failure.kind, failure.disconnected) == (FailureKind.HTTP_PROTOCOL_ERROR, False)
    assert failure.detail.endswith(" speaks HTTP/2 only, and this proxy asks with HTTP/1.1")


def test_an_origin_that_speaks_tls_on_the_port_of_an_http_url_is_recognised() -> None:
    failure = refusal(b"\x15\x03\x01\x00\x02\x02\x46")
    assert failure.kind is FailureKind.HTTP_PROTOCOL_ERROR
    assert failure.detail.endswith(" speaks TLS on this port, but the request was for http, not https")


@pytest.mark.parametrize(
    "data", [b"RTSP/1.0 200 OK\r\n\r\n", b"ICE/1.1 200 OK\r\n\r\n", b"220 a\r\n", b"\x15", b"\x00"]
)
def test_other_protocols_are_refused(data: bytes) -> None:
    assert refusal(data).detail.endswith(" does not speak HTTP")


@pytest.mark.parametrize("data", [b"H", OK, b"\r\nHTTP/1.1", b""])
def test_what_may_be_http_is_left_to_the_parser(data: bytes) -> None:
    assert other_protocol(data) is None


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not speak HTTP"),
        (b"220 mail.example ESMTP\r\n", "does not speak HTTP"),
        (SETTINGS, "speaks HTTP/2 only, and this proxy asks with HTTP/1.1"),
    ],
)
def test_an_origin_that_speaks_first_does_not_speak_http(data: bytes, sentence: str) -> None:
    async def greeting(peer: Peer) -> None:
        await peer.send(data)
        await peer.client_closed()

    async def conversation(client: OriginClient, origin: RawOrigin) -> OriginFailure:
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(get(origin))
        return caught.value

    failure = run_conversation(conversation, greeting)
    assert failure.kind is FailureKind.HTTP_PROTOCOL_ERROR
    assert failure.detail.endswith(sentence)
