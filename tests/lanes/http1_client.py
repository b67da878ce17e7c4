"""A small strict HTTP/1.1 client: it accepts only the framing of RFC 9112, and recognises incomplete responses."""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import suppress
from dataclasses import replace

from cache.http.messages import Fields
from tests.lanes.messages import BrokenFraming, ClientRequest, ClientResponse

_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ([\t\x20-\x7e\x80-\xff]*)")
_FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\x00\r\n]*?)[ \t]*")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]+")

Reader = asyncio.StreamReader


class Http1Client:
    """One connection to the proxy. With `tls`, it is a CONNECT tunnel to `authority`."""

    def __init__(self, proxy: tuple[str, int], authority: str, tls: ssl.SSLContext | None) -> None:
        self._proxy = proxy
        self._authority = authority
        self._tls = tls
        self._connection: tuple[Reader, asyncio.StreamWriter] | None = None
        self._method = ""

    async def send(self, request: ClientRequest) -> None:
        if self._connection is None:
            self._connection = await self._connect()
        _, writer = self._connection
        body = request.body
        prefix = "" if self._tls else f"http://{self._authority}"
        self._method = request.method
        lines = [
            f"{request.method} {prefix}{request.target} HTTP/1.1",
            *(f"{name}: {value}" for name, value in request.fields),
            *([] if "host" in request.fields else [f"Host: {self._authority}"]),
            *([f"Content-Length: {len(body)}"] if body and "content-length" not in request.fields else []),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        await writer.drain()

    async def receive(self) -> ClientResponse:
        assert self._connection is not None
        response = await read_response(self._connection[0], self._method)
        if response.fields.get("connection") == "close":
            await self.close()
        return response

    async def disconnect(self) -> None:
        """Abort the connection once the first byte of a response has arrived."""
        assert self._connection is not None
        reader, writer = self._connection
        await reader.readexactly(1)
        writer.transport.abort()
        self._connection = None

    async def close(self) -> None:
        """Close the connection. Raises BrokenFraming for bytes behind the last response."""
        if self._connection is None:
            return
        (reader, writer), self._connection = self._connection, None
        surplus = b""
        with suppress(OSError):
            if not self._tls:
                writer.write_eof()
                surplus = await reader.read()
            writer.close()
            await writer.wait_closed()
        if surplus:
            raise BrokenFraming(f"bytes behind the last response: {surplus!r}")

    async def _connect(self) -> tuple[Reader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*self._proxy)
        if self._tls:
            await open_tunnel(reader, writer, self._authority)
            await writer.start_tls(self._tls, server_hostname=self._authority.rpartition(":")[0])
        return reader, writer


async def open_tunnel(reader: Reader, writer: asyncio.StreamWriter, authority: str) -> None:
    """Open a CONNECT tunnel. Raises BrokenFraming if the proxy refuses."""
    writer.write(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise BrokenFraming(f"no tunnel: {head!r}")


async def read_response(reader: Reader, method: str) -> ClientResponse:
    """Return the next response, with `cut` if the connection ends too early. Raises BrokenFraming."""
    try:
        status_line = await _line(reader)
    except asyncio.IncompleteReadError:
        return ClientResponse(0, "", Fields(), cut=True)
    match = _STATUS_LINE.fullmatch(status_line)
    if not match:
        raise BrokenFraming(f"no status line: {status_line!r}")
    status, reason = int(match[1]), match[2].decode("latin-1")
    fields = await _fields(reader)
    if 100 <= status < 200:
        response = await read_response(reader, method)
        return replace(response, interim=(status, *(response.interim or ())))
    length, codings = fields.all("content-length"), fields.get("transfer-encoding")
    if len(length) > 1 or (length and codings) or codings not in (None, "chunked"):
        raise BrokenFraming(f"Content-Length {length}, Transfer-Encoding {codings}")  # RFC 9112 §6.2, §6.3
    if status == 204 and (length or codings):
        raise BrokenFraming("a 204 with framing")  # RFC 9110 §8.6, RFC 9112 §6.1
    if method == "HEAD" or status in (204, 304):
        return ClientResponse(status, reason, fields, interim=(), trailers=Fields())
    trailers = Fields()
    if codings:
        body, cut, trailers = await _chunks(reader)
    else:
        body, cut = await (_exactly(reader, int(length[0])) if length else _rest(reader))
    if status == 205 and body:
        raise BrokenFraming("a 205 with content")  # RFC 9110 §15.3.6
    return ClientResponse(status, reason, fields, body, cut, interim=(), trailers=trailers)


async def _line(reader: Reader) -> bytes:
    return (await reader.readuntil(b"\r\n"))[:-2]


async def _fields(reader: Reader) -> Fields:
    lines = []
    while line := await _line(reader):
        match = _FIELD_LINE.fullmatch(line)
        if not match:
            raise BrokenFraming(f"no field line: {line!r}")
        lines.append((match[1].decode("latin-1"), match[2].decode("latin-1")))
    return Fields(tuple(lines))


async def _exactly(reader: Reader, length: int) -> tuple[bytes, bool]:
    try:
        return await reader.readexactly(length), False
    except asyncio.IncompleteReadError as short:
        return short.partial, True


async def _chunks(reader: Reader) -> tuple[bytes, bool, Fields]:
    body = b""
    try:
        while True:
            line = await _line(reader)
            if not _CHUNK_SIZE.fullmatch(line):
                raise BrokenFraming(f"no chunk size: {line!r}")
            size = int(line, 16)
            if size == 0:
                return body, False, await _fields(reader)
            chunk = await reader.readexactly(size + 2)
            if not chunk.endswith(b"\r\n"):
                raise BrokenFraming(f"a chunk without CRLF behind it: {chunk!r}")
            body += chunk[:-2]
    except asyncio.IncompleteReadError as short:
        return body + short.partial, True, Fields()


async def _rest(reader: Reader) -> tuple[bytes, bool]:
    """Read to the end of the connection (RFC 9112 §6.3). Only a reset shows that such a body is incomplete."""
    try:
        return await reader.read(), False
    except OSError:
        return b"", True
