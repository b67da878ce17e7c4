"""A response of an origin, head and body: it means the same however it is split, and any bytes end in a result."""

from __future__ import annotations

from addon.origin.errors import FailureKind
from addon.origin.options import OriginOptions
from addon.origin.response_reader import ResponseReader
from cache.http.messages import Fields, Response
from tools.fuzz.pieces import repeated, splits

TOKENS = [
    *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 404\r\n", b"HTTP/1.1 103 E\r\n\r\n", b"\r\n\r\n", b"\n\n", b"\r\n "),
    *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"identity", b", "),
    *(b"Content-Length: ", b"0\r\n\r\n", b"5\r\nhello\r\n", b"5;a=b\r\n", b"HTTP/1.1 304 \r\n", b"HTTP/1.1 204 \r\n"),
]

type Result = tuple[Response | None, bytes, bool, Fields, FailureKind | None, bool]

OPTIONS = [
    OriginOptions(max_head=400, max_line=200, max_fields=8, max_interim=4),
    OriginOptions(max_head=400, max_line=200, max_fields=8, max_interim=4, reads_leniently=True),
]


def check(data: bytes) -> None:
    """Read bytes as the response to a GET and to a HEAD, strictly and leniently, whole and in pieces."""
    for options in OPTIONS:
        for method in ("GET", "HEAD"):
            whole = _read([data], method, options)
            _check_result(whole, method, len(data))
            for pieces in splits(data):
                assert _read(pieces, method, options) == whole
        if (long := repeated(data)) is not None:
            _check_result(_read([long], "GET", options), "GET", len(long))
    _check_leniency(data)


def _read(pieces: list[bytes], method: str, options: OriginOptions) -> Result:
    reader = ResponseReader(method, "origin.example", options)
    for piece in pieces:
        if not reader.finished:
            reader.feed(piece)
    reader.end(clean=True)
    content = b""
    while (chunk := reader.take_chunk()) is not None:
        content += chunk
    failure = reader.failure.kind if reader.failure is not None else None
    return reader.head, content, reader.complete, reader.trailers, failure, reader.complete and reader.persistent


def _check_result(result: Result, method: str, size: int) -> None:
    head, content, complete, trailers, failure, persistent = result
    assert complete is (failure is None)
    assert len(content) <= size
    for name, value in (*(head.fields if head else ()), *trailers):
        assert name.isascii()
        assert not {"\r", "\n", "\0"} & {*value}
    if head is None:
        assert not content
        return
    assert 200 <= head.status <= 999
    assert len(head.fields.lines) <= OPTIONS[0].max_fields + 1  # the length that was read leniently is one more
    length = head.fields.get("content-length")
    if method == "HEAD" or head.status in (204, 304):
        assert complete
        assert not content
    elif complete and length is not None and "transfer-encoding" not in head.fields:
        assert len(content) == int(length)
    if persistent:
        assert "transfer-encoding" not in head.fields or length is None


def _check_leniency(data: bytes) -> None:
    """Check that a lenient reader takes what a strict one accepts for the same; trailers may differ."""
    strict, lenient = (_read([data], "GET", options) for options in OPTIONS)
    if strict[2]:
        assert lenient[:2] == strict[:2]
