"""The reader of content in mitmproxy's HTTP/1 connections, without trailers and endless lines."""

from __future__ import annotations

import h11
from h11._receivebuffer import ReceiveBuffer
from mitmproxy.proxy.layers.http._http1 import Http1Connection, TBodyReader

MAX_LINES = 65_536
"""Bytes of a chunk header, or of a trailer section."""


class BodyReader:
    """Reads content by h11's reader."""

    def __init__(self, reader: TBodyReader) -> None:
        self._reader = reader

    def __call__(self, buffer: ReceiveBuffer) -> h11.Event | None:
        """Return the next event in the buffer; None if more bytes are needed. Raises ProtocolError."""
        event = self._reader(buffer)
        if event is None and len(buffer) > MAX_LINES:
            raise h11.RemoteProtocolError(f"a chunk header or a trailer section above {MAX_LINES} bytes")
        # mitmproxy ends in an exception at the trailers of a body in chunks
        return h11.EndOfMessage() if isinstance(event, h11.EndOfMessage) else event

    def read_eof(self) -> h11.Event:
        """Return the end, if the end of the connection is one. Raises ProtocolError if not."""
        return self._reader.read_eof()


class HasBodyReader(Http1Connection):
    """A connection of mitmproxy that reads content by a `BodyReader`."""

    _body_reader: BodyReader

    @property  # type: ignore[override]  # mitmproxy's is an attribute for readers of h11, and ours is another reader
    def body_reader(self) -> BodyReader:
        """The reader of the present content."""
        return self._body_reader

    @body_reader.setter
    def body_reader(self, reader: TBodyReader) -> None:
        self._body_reader = BodyReader(reader)
