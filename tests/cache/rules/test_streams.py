"""Exchanges that are streams, and others that are not."""

from __future__ import annotations

import math

import pytest

from cache.http.messages import Fields, Request, Response
from cache.rules.streams import asks_for_stream, held_back, is_endless, is_grpc_over_http2, is_stream


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
        (("Prefer", "wait=0"), False),
        (("Prefer", "wait=-5"), False),
        (("Prefer", "wait=soon"), False),
        (("Accept", "*/*"), False),
        (("Accept", "text/*"), False),
        (("X-Accept", "text/event-stream"), False),
    ],
)
def test_a_request_asks_for_a_stream_by_its_fields(line: tuple[str, str], expected: bool) -> None:
    assert asks_for_stream(Request("GET", "http", "a.example", 80, "/", Fields((line,)))) is expected


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        (("Prefer", "respond-async, wait=10"), 10),
        (("Prefer", "wait=1, wait=3600"), 1),
        (("Accept", "text/event-stream"), math.inf),
        (("Content-Type", "application/grpc"), math.inf),
        (("Accept", "*/*"), 0),
    ],
)
def test_a_response_is_held_back_for_as_long_as_the_request_says(line: tuple[str, str], seconds: float) -> None:
    assert held_back(Request("GET", "http", "a.example", 80, "/", Fields((line,)))) == seconds


@pytest.mark.parametrize(
    ("version", "te", "kind", "expected"),
    [
        ("HTTP/2.0", "trailers", "application/grpc", True),
        ("HTTP/2.0", "trailers", "application/grpc+proto", True),
        ("HTTP/2.0", "trailers", "application/grpc-web", False),
        ("HTTP/2.0", "trailers", "text/html", False),
        ("HTTP/2.0", "gzip", "application/grpc", False),
        ("HTTP/1.1", "trailers", "application/grpc", False),
    ],
)
def test_a_grpc_call_over_http2_is_known_by_its_fields(version: str, te: str, kind: str, expected: bool) -> None:
    fields = Fields((("TE", te), ("Content-Type", kind)))
    request = Request("POST", "http", "a.example", 80, "/a.Service/Call", fields, version)
    assert is_grpc_over_http2(request) is expected
