"""A connection of HTTP/2 to an origin: any frames end every response, and mean the same in pieces."""

from __future__ import annotations

import asyncio
from functools import cache

from addon.origin.errors import FailureKind
from addon.origin.http2 import frames
from addon.origin.http2.connection import Http2Connection
from addon.origin.http2.header_block import encode
from addon.origin.http2.response import StreamResponse
from addon.origin.options import OriginOptions
from cache.http.messages import Fields, Response
from tools.fuzz.pieces import splits
from tools.fuzz.transport import KeptTransport

TOKENS = [
    *(frames.settings_frame({}), frames.frame(frames.SETTINGS, frames.ACK, 0), b"\x88", b"\x8d", b":status", b"200"),
    *(b"\x00\x00\x01\x01\x04\x00\x00\x00\x01\x88", b"\x00\x00\x05\x00\x01\x00\x00\x00\x01hello", b"\x48\x03103"),
    *(b"\x5c\x015", b"\x0f\x0d\x015", b"content-length", b"\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x07"),
]

OPTIONS = OriginOptions(max_head=1000, max_line=500, max_fields=8, max_interim=4)
METHODS = ("GET", "HEAD", "GET")
"""Of the requests that are sent before anything arrives, on the streams 1, 3 and 5."""

type Result = tuple[Response | None, bytes, bool, Fields, FailureKind | None]


@cache
def loop() -> asyncio.EventLoop:
    """Return the event loop of all connections. What it reports ends the run."""
    made = asyncio.new_event_loop()
    made.set_exception_handler(_raise)
    return made


def _raise(_loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    raise AssertionError(context)


def check(data: bytes) -> None:
    """Receive bytes from an origin to which three requests were sent."""
    whole = loop().run_until_complete(_results([data]))
    for pieces in list(splits(data))[1:]:
        assert loop().run_until_complete(_results(pieces)) == whole


async def _results(pieces: list[bytes]) -> list[Result]:
    lost: list[Http2Connection] = []
    connection = Http2Connection(OPTIONS, on_lost=lost.append)
    transport = KeptTransport()
    transport.connect(connection)
    responses = [StreamResponse(method, "origin.example", OPTIONS) for method in METHODS]
    for method, response in zip(METHODS, responses, strict=True):
        connection.send(encode([(":method", method), (":scheme", "https"), (":path", "/")]), response)
    await transport.receive_all(pieces)
    assert lost == [connection]
    assert not connection.is_usable
    size = sum(map(len, pieces))
    return [_result(method, response, size) for method, response in zip(METHODS, responses, strict=True)]


def _result(method: str, response: StreamResponse, size: int) -> Result:
    content = b""
    while (chunk := response.take_chunk()) is not None:
        content += chunk
    head, failure = response.head, response.failure
    assert response.complete is (failure is None)
    assert len(content) <= size
    for name, value in (*(head.fields if head else ()), *response.trailers):
        assert not {"\r", "\n", "\0"} & {*name, *value}
    if head is not None:
        assert 200 <= head.status <= 999
        length = head.fields.get("content-length")
        if method == "HEAD" or head.status in (204, 304):
            assert not content
        elif response.complete and length is not None:
            assert len(content) == int(length)
    return head, content, response.complete, response.trailers, failure.kind if failure else None
