"""mitmproxy's sentences about failures, as proxy error types."""

from __future__ import annotations

import pytest

from addon.frontend.mitm.failures import failure_of
from addon.origin import FailureKind


@pytest.mark.parametrize(
    ("message", "kind", "disconnected"),
    [
        ("[Errno 111] Connect call failed ('127.0.0.1', 1)", FailureKind.CONNECTION_REFUSED, True),
        ("[Errno -2] Name or service not known", FailureKind.DNS_ERROR, True),
        ("[Errno 101] Network is unreachable", FailureKind.DESTINATION_IP_UNROUTABLE, True),
        ("Certificate verify failed: self-signed certificate", FailureKind.TLS_CERTIFICATE_ERROR, False),
        ("server closed connection", FailureKind.CONNECTION_TERMINATED, True),
        (
            "HTTP/1 protocol error: peer closed connection without sending complete message body",
            FailureKind.HTTP_RESPONSE_INCOMPLETE,
            False,
        ),
        ("Connection killed: a script did not like it", FailureKind.DESTINATION_UNAVAILABLE, True),
    ],
)
def test_a_failure_has_the_type_that_its_sentence_shows(message: str, kind: FailureKind, disconnected: bool) -> None:
    failure = failure_of("example.org", message)

    assert (failure.kind, failure.disconnected) == (kind, disconnected)
    assert message in failure.detail
