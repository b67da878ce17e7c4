"""Passes connections from a listening socket, of whatever namespace, on to a port of this machine."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress

CHUNK = 65_536
"""Octets that are passed on at a time."""


class Bridge:
    """Works in a thread of its own until `close`."""

    def __init__(self, listener: socket.socket, port: int) -> None:
        self._listener = listener
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._accept(),), daemon=True)
        self._ended = asyncio.Event()
        self._thread.start()

    def close(self) -> None:
        """Stop, cutting off whoever is connected."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()
        self._loop.close()

    async def _accept(self) -> None:
        server = await asyncio.start_server(self._pass_on, sock=self._listener)
        await self._ended.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                await asyncio.gather(_copy(reader, back), _copy(there, writer))
            finally:
                back.close()
        except OSError:
            pass  # one of both ends is gone, and so is the other now
        finally:
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while octets := await reader.read(CHUNK):
        writer.write(octets)
        await writer.drain()
    with suppress(OSError):  # the other end may be closed already
        writer.write_eof()
