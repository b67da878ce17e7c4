"""Which exchanges are streams."""

from __future__ import annotations

import pytest

from cache.http.messages import Fields, Request, Response
from cache.rules.streams import asks_for_stream, is_endless, is_stream


@pytest.mark.parametrize(
    ("lines", "stream", "endless"),
    [
        ((("Content-Type", "text/event-stream"),), True, True),
        ((("Content-Type", "Text/Event-Stream; charset=utf-8"),), True, True),
        ((("Content-Type", "text/event-stream"), ("Content-Length", "5")), True, True),
        ((("Content-Type", "multipart/x-mixed-replace; boundary=a"),), True, True),
        ((("Content-Type", "application/grpc"),), True, True),
        ((("Content-Type", "application/grpc-web+proto"),), True, True),
        ((("Content-Type", "application/x-ndjson"),), True, False),
        ((("Content-Type", "application/x-ndjson"), ("Content-Length", "5")), False, False),
        ((("Content-Type", "application/json"),), False, False),
        ((("Content-Type", "text/html"),), False, False),
        ((), False, False),
    ],
)
def test_a_response_is_a_stream_by_its_media_type(
    lines: tuple[tuple[str, str], ...], stream: bool, endless: bool
) -> None:
    response = Response(200, "OK", Fields(lines))
    assert (is_stream(response), is_endless(response)) == (stream, endless)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (("Accept", "text/event-stream"), True),
        (("Accept", "application/json, text/event-stream;q=0.9"), True),
        (("Accept", "application/x-ndjson"), True),
        (("Content-Type", "application/grpc+proto"), True),
        (("Prefer", "respond-async, wait=10"), True),
        (("Prefer", "respond-async"), False),
        (("Accept", "*/*"), False),
        (("Accept", "text/*"), False),
        (("X-Accept", "text/event-stream"), False),
    ],
)
def test_a_request_asks_for_a_stream_by_its_fields(line: tuple[str, str], expected: bool) -> None:
    assert asks_for_stream(Request("GET", "http", "a.example", 80, "/", Fields((line,)))) is expected
