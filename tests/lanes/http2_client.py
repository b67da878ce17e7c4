"""A small HTTP/2 client, in a CONNECT tunnel or in clear. The h2 library checks the frames."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from contextlib import suppress

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)

from cache.http.messages import Fields
from tests.lanes.http1_client import open_tunnel
from tests.lanes.messages import ClientRequest, ClientResponse

CHUNK = 65_536


class Http2Client:
    """One connection to the proxy, with one stream at a time."""

    def __init__(
        self, proxy: tuple[str, int], authority: str, tls: ssl.SSLContext | None, *, trailers: bool = False
    ) -> None:
        """Connect through a tunnel with TLS, or without. With `trailers`, say that trailers are accepted."""
        self._proxy = proxy
        self._authority = authority
        self._tls = tls
        self._te = [("te", "trailers")] if trailers else []
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._h2 = H2Connection(H2Configuration(header_encoding="latin-1"))
        self._events: list[Event] = []
        """Events that arrived while a request was still being sent."""

    async def send(self, request: ClientRequest) -> None:
        if self._connection is None:
            self._connection = await self._connect()
        stream = self._h2.get_next_available_stream_id()
        head = [
            (":method", request.method),
            (":scheme", "https" if self._tls else "http"),
            (":authority", self._authority),
        ]
        head += [(":path", request.target), *((name.lower(), value) for name, value in request.fields), *self._te]
        self._h2.send_headers(stream, head, end_stream=not request.body)
        body = request.body
        while body:
            window = min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size)
            if window == 0:
                await self._flush()
                self._events += self._h2.receive_data(await self._connection[0].read(CHUNK))
                continue
            self._h2.send_data(stream, body[:window], end_stream=len(body) <= window)
            body = body[window:]
        await self._flush()

    async def receive(self) -> ClientResponse:
        assert self._connection is not None
        status, fields, body = 0, Fields(), b""
        interim: tuple[int, ...] = ()
        trailers = Fields()
        while data := await self._connection[0].read(CHUNK):
            events, self._events = [*self._events, *self._h2.receive_data(data)], []
            for event in events:
                match event:
                    case InformationalResponseReceived(headers=headers):
                        interim += (_status(headers),)
                    case ResponseReceived(headers=headers):
                        status, fields = _status(headers), _fields(headers)
                    case TrailersReceived(headers=headers):
                        trailers = _fields(headers)
                    case DataReceived(data=part, flow_controlled_length=length, stream_id=stream):
                        body += part or b""
                        self._h2.acknowledge_received_data(length or 0, stream or 0)
                    case StreamEnded():
                        await self._flush()
                        return ClientResponse(status, None, fields, body, interim=interim, trailers=trailers)
                    case StreamReset() | ConnectionTerminated():
                        return ClientResponse(status, None, fields, body, cut=True, interim=interim, trailers=trailers)
            await self._flush()
        return ClientResponse(status, None, fields, body, cut=True)

    async def disconnect(self) -> None:
        """Abort the connection once the first byte of a response has arrived."""
        assert self._connection is not None
        reader, writer = self._connection
        await reader.readexactly(1)
        writer.transport.abort()
        self._connection = None

    async def close(self) -> None:
        if self._connection is not None:
            self._h2.close_connection()
            with suppress(OSError):
                await self._flush()
                self._connection[1].close()
                await self._connection[1].wait_closed()

    async def _flush(self) -> None:
        assert self._connection is not None
        self._connection[1].write(self._h2.data_to_send())
        await self._connection[1].drain()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*self._proxy)
        if self._tls is not None:
            await open_tunnel(reader, writer, self._authority)
            await writer.start_tls(self._tls, server_hostname=self._authority.rpartition(":")[0])
        self._h2.initiate_connection()
        writer.write(self._h2.data_to_send())
        return reader, writer


def _status(headers: Iterable[tuple[bytes | str, bytes | str]] | None) -> int:
    return next(int(value) for name, value in headers or () if name == ":status")


def _fields(headers: Iterable[tuple[bytes | str, bytes | str]] | None) -> Fields:
    lines = [(str(name), str(value)) for name, value in headers or ()]
    return Fields(tuple(line for line in lines if line[0] != ":status"))
