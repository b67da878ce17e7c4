"""Response heads as bytes, and the framing of responses (RFC 9112 §6.3, §9.3)."""

from __future__ import annotations

import pytest

from addon.frontend.http1.response_head import Framing, framing_of, head_bytes
from cache.http.messages import Fields, Response

COUNTED = Fields((("Content-Length", "2"),))
CLOSE, CHUNKED, KEEP_ALIVE = Framing(close=True), Framing(chunked=True), Framing(keep_alive=True)


@pytest.mark.parametrize(
    ("status", "fields", "method", "version", "persistent", "framing"),
    [
        (200, COUNTED, "GET", "HTTP/1.1", True, Framing()),
        (200, COUNTED, "GET", "HTTP/1.1", False, CLOSE),
        (200, COUNTED, "GET", "HTTP/1.0", True, KEEP_ALIVE),
        (200, COUNTED, "GET", "HTTP/1.0", False, CLOSE),
        (200, Fields(), "GET", "HTTP/1.1", True, CHUNKED),
        (200, Fields(), "GET", "HTTP/1.1", False, Framing(chunked=True, close=True)),
        (200, Fields(), "GET", "HTTP/1.0", True, CLOSE),  # HTTP/1.0 has no chunks
        (200, Fields(), "HEAD", "HTTP/1.1", True, Framing()),
        (200, Fields(), "HEAD", "HTTP/1.0", True, KEEP_ALIVE),
        (204, Fields(), "GET", "HTTP/1.1", True, Framing()),
        (304, Fields(), "GET", "HTTP/1.1", True, Framing()),
        (205, Fields(), "GET", "HTTP/1.1", True, CHUNKED),
        (404, Fields(), "get", "HTTP/1.1", True, CHUNKED),
    ],
)
def test_framing_depends_on_the_response_and_the_request(
    status: int, fields: Fields, method: str, version: str, persistent: bool, framing: Framing
) -> None:
    assert framing_of(Response(status, "", fields), method, version, persistent=persistent) == framing


def test_a_head_has_its_fields_unchanged_and_the_framing_fields_after_them() -> None:
    head = Response(200, "All \xe9", Fields((("x-A", "a"), ("X-a", ""))))
    assert head_bytes(head) == b"HTTP/1.1 200 All \xe9\r\nx-A: a\r\nX-a: \r\n\r\n"
    assert head_bytes(head, CHUNKED).endswith(b"X-a: \r\nTransfer-Encoding: chunked\r\n\r\n")
    assert head_bytes(head, CLOSE).endswith(b"X-a: \r\nConnection: close\r\n\r\n")
    assert head_bytes(head, KEEP_ALIVE).endswith(b"X-a: \r\nConnection: keep-alive\r\n\r\n")
