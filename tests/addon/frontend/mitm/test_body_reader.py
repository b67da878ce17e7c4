"""Content is read without its trailers, and lines that do not end are refused."""

from __future__ import annotations

import h11
import pytest
from h11._readers import ChunkedReader
from h11._receivebuffer import ReceiveBuffer

from addon.frontend.mitm.body_reader import MAX_LINES, BodyReader


def buffer_of(data: bytes) -> ReceiveBuffer:
    buffer = ReceiveBuffer()
    buffer += data
    return buffer


def test_trailers_are_dropped() -> None:
    buffer, reader = buffer_of(b"1\r\na\r\n0\r\nX: y\r\n\r\n"), BodyReader(ChunkedReader())
    content, end = reader(buffer), reader(buffer)
    assert isinstance(content, h11.Data)
    assert bytes(content.data) == b"a"
    assert end == h11.EndOfMessage()


@pytest.mark.parametrize("begun", [b"1;", b"0\r\nX: "], ids=["chunk header", "trailer section"])
def test_a_line_that_does_not_end_is_refused(begun: bytes) -> None:
    reader = BodyReader(ChunkedReader())
    assert reader(buffer_of(begun + b"a" * 1000)) is None
    with pytest.raises(h11.RemoteProtocolError, match=f"above {MAX_LINES} bytes"):
        BodyReader(ChunkedReader())(buffer_of(begun + b"a" * MAX_LINES))
