"""A raw HTTP/2 client for tests: it sends any frame, right or wrong, and decodes what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from hpack import Decoder, Encoder

from addon.origin.http2 import frames
from addon.origin.http2.faults import ErrorCode
from tests.addon.frontend.front_end import Client, FrontEndUnderTest, authority_of, client_tls
from tests.fixtures.raw_origin import RawOrigin

LARGE_WINDOW = 2**30

Lines = Iterable[tuple[str, str]]


@dataclass
class Received:
    """The response on one stream, as far as it has arrived."""

    heads: list[dict[str, str]] = field(default_factory=list)
    """The header blocks: interim responses, the response, trailers."""
    content: bytearray = field(default_factory=bytearray)
    ended: bool = False
    reset: ErrorCode | None = None

    @property
    def status(self) -> int:
        """The status of the last response; 0 if there is none."""
        return next((int(head[":status"]) for head in reversed(self.heads) if ":status" in head), 0)

    @property
    def finished(self) -> bool:
        return self.ended or self.reset is not None


class Http2Client:
    """One connection on which HTTP/2 was started.

    Attributes:
        streams: What has come back, by stream.
        order: The streams of the DATA frames that came back, in order.
        goaway: The code and the text of GOAWAY, once it has come.
        windows: The increments of WINDOW_UPDATE, by stream; 0 is the connection.
        settings: The settings of the proxy.
        acknowledged: Acknowledgements of SETTINGS.
        pongs: The payloads of acknowledged PING frames.
    """

    def __init__(self, client: Client, authority: str, scheme: str) -> None:
        self.client = client
        self.authority = authority
        self.scheme = scheme
        self.streams: dict[int, Received] = {}
        self.order: list[int] = []
        self.goaway: tuple[ErrorCode, str] | None = None
        self.windows: dict[int, int] = {}
        self.settings: dict[int, int] = {}
        self.acknowledged = 0
        self.pongs: list[bytes] = []
        self.encoder, self.decoder = Encoder(), Decoder(2**20)
        self._next = 1

    # ---- sending

    def greet(self, settings: dict[int, int] | None = None) -> None:
        """Send the preface and SETTINGS."""
        self.client.send(frames.PREFACE + frames.settings_frame(settings or {}))

    def head(self, path: str = "/", *lines: tuple[str, str], method: str = "GET") -> list[tuple[str, str]]:
        """Return the fields of a request."""
        pseudo = [(":method", method), (":scheme", self.scheme), (":authority", self.authority), (":path", path)]
        return [*pseudo, *lines]

    def block(self, lines: Lines) -> bytes:
        return self.encoder.encode([(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines])

    def next_stream(self) -> int:
        number, self._next = self._next, self._next + 2
        return number

    def ask(self, path: str = "/", *lines: tuple[str, str], method: str = "GET", end_stream: bool = True) -> int:
        """Send a request, and return its stream."""
        return self.send_head(self.head(path, *lines, method=method), end_stream=end_stream)

    def send_head(self, lines: Lines, *, end_stream: bool = True) -> int:
        """Send any fields as a request, and return its stream."""
        number = self.next_stream()
        self.client.send(frames.header_frames(number, self.block(lines), end_stream=end_stream))
        return number

    def send_data(self, stream: int, data: bytes, *, end_stream: bool = False) -> None:
        self.send_frame(frames.DATA, frames.END_STREAM if end_stream else 0, stream, data)

    def send_frame(self, kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> None:
        self.client.send(frames.frame(kind, flags, stream, payload))

    def reset(self, stream: int) -> None:
        self.client.send(frames.reset_frame(stream, ErrorCode.CANCEL))

    def widen(self, stream: int, increment: int) -> None:
        self.client.send(frames.window_frame(stream, increment))

    # ---- receiving

    async def read_frame(self) -> int:
        """Read and note the next frame, and return its type. Raises EOFError at the end of the connection."""
        first, flags, number = frames.HEAD.unpack(await self.client.read(frames.HEAD_LENGTH))
        payload = await self.client.read(first >> 8) if first >> 8 else b""
        kind = int(first & 0xFF)
        received = self.streams.setdefault(number, Received()) if number else Received()
        match kind:
            case frames.HEADERS:
                assert flags & frames.END_HEADERS
                decoded = [(bytes(name), bytes(value)) for name, value in self.decoder.decode(payload, raw=True)]
                received.heads.append({name.decode("latin-1"): value.decode("latin-1") for name, value in decoded})
                received.ended |= bool(flags & frames.END_STREAM)
            case frames.DATA:
                assert len(payload) <= frames.MAX_FRAME
                self.order.append(number)
                received.content += payload
                received.ended |= bool(flags & frames.END_STREAM)
            case frames.RST_STREAM:
                received.reset = ErrorCode(frames.number_in(payload, ""))
            case frames.GOAWAY:
                self.goaway = ErrorCode(int.from_bytes(payload[4:8])), payload[8:].decode()
            case frames.WINDOW_UPDATE:
                self.windows[number] = self.windows.get(number, 0) + frames.number_in(payload, "")
            case frames.SETTINGS:
                self.acknowledged += flags & frames.ACK
                self.settings |= dict(frames.settings_in(payload))
            case frames.PING:
                assert flags & frames.ACK
                self.pongs.append(payload)
        return kind

    async def response(self, stream: int) -> Received:
        """Read until a response is complete, or its stream is reset."""
        while not self.streams.get(stream, Received()).finished:
            await self.read_frame()
        return self.streams[stream]

    async def fetch(self, path: str = "/", *lines: tuple[str, str], method: str = "GET") -> Received:
        """Send a request without content, and return its response."""
        return await self.response(self.ask(path, *lines, method=method))

    async def until_acknowledged(self) -> None:
        """Read until the proxy has taken the settings of this client."""
        while not self.acknowledged:
            await self.read_frame()

    async def until_closed(self) -> None:
        """Read until the proxy closes the connection; a reset is an end too."""
        try:
            while True:
                await self.read_frame()
        except (EOFError, ConnectionError):
            pass

    async def roundtrip(self) -> None:
        """Wait until the proxy has taken all frames that were sent."""
        count = len(self.pongs)
        self.send_frame(frames.PING, 0, 0, b"12345678")
        while len(self.pongs) == count:
            await self.read_frame()
        await asyncio.sleep(0)


async def http2_client(
    front_end: FrontEndUnderTest, origin: RawOrigin, settings: dict[int, int] | None = None
) -> Http2Client:
    """Return a client that has greeted the proxy in clear, and has sent these settings."""
    client = Http2Client(await front_end.client(), authority_of(origin), "http")
    client.greet(settings)
    await client.until_acknowledged()
    return client


async def http2_client_in_tunnel(front_end: FrontEndUnderTest, origin: RawOrigin) -> Http2Client:
    """Return a client that has greeted the proxy inside intercepted TLS."""
    raw = await front_end.tunnel(authority_of(origin), client_tls("h2", "http/1.1"))
    assert raw.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
    client = Http2Client(raw, authority_of(origin), "https")
    client.greet()
    await client.until_acknowledged()
    return client


def pass_time(front_end: FrontEndUnderTest, seconds: float) -> None:
    """Let time pass for the deadlines of all connections."""
    front_end.connections.now += seconds
    for connection in list(front_end.connections):
        if connection.deadline < front_end.connections.now:
            connection.expire()
