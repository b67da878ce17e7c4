"""A transport without a socket: what is written to it is kept, and an input is what is read from it."""

from __future__ import annotations

import asyncio
import atexit
import socket
from typing import Any

TURNS = 20
"""Turns of the event loop after each piece: enough for what waits for nothing outside of this process."""

SOCKET = socket.socket()
"""Never connected; some protocols ask for the number of their socket."""
atexit.register(SOCKET.close)


class KeptTransport(asyncio.Transport):
    """A transport to a peer that reads everything at once."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.ended = False
        self._closing = False
        self._protocol: asyncio.BaseProtocol | None = None

    def connect(self, protocol: asyncio.Protocol | asyncio.BufferedProtocol) -> None:
        self._protocol = protocol
        protocol.connection_made(self)

    def receive(self, data: bytes) -> None:
        """Give bytes of the peer to the protocol of the connection, which may change."""
        while data and not self._closing:
            if isinstance(self._protocol, asyncio.BufferedProtocol):
                buffer = memoryview(self._protocol.get_buffer(len(data)))[: len(data)]
                buffer[:], data = data[: len(buffer)], data[len(buffer) :]
                self._protocol.buffer_updated(len(buffer))
            elif isinstance(self._protocol, asyncio.Protocol):
                self._protocol.data_received(data)
                return

    def receive_end(self) -> None:
        """Tell the protocol that the peer sends no more, and then that the connection is lost."""
        reads = isinstance(self._protocol, asyncio.Protocol | asyncio.BufferedProtocol)
        if not self._closing and reads and not self._protocol.eof_received():
            self.close()

    def lose(self) -> None:
        if self._protocol is not None:
            self._protocol.connection_lost(None)

    async def receive_all(self, pieces: list[bytes]) -> None:
        """Give pieces to the protocol, then the end, and then the loss of the connection."""
        for piece in pieces:
            self.receive(piece)
            await _turns()
        self.receive_end()
        await _turns()
        self.lose()
        await _turns()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.ended, "written after the end"
        if not self._closing:
            self.written += data

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def write_eof(self) -> None:
        self.ended = True

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        self._closing = True

    def abort(self) -> None:
        self._closing = True

    def is_closing(self) -> bool:
        return self._closing

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        assert self._protocol is not None
        return self._protocol

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 1), "socket": SOCKET}.get(name, default)


async def _turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)
