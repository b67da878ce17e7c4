"""A channel between two processes: each end sends commands, and replies to those of the other.

A message is one JSON line: `{"id": 1, "command": "mode", "arguments": {}}` is a command, and `{"id": 1, "result": {}}`
or `{"id": 1, "error": "what is wrong"}` the reply to it. Several commands may be under way at the same time.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Mapping
from itertools import count

from addon.runtime.background_tasks import BackgroundTasks
from addon.runtime.control import Handler, run_command
from addon.runtime.control_client import MAX_REPLY, ControlError

logger = logging.getLogger(__name__)


class Channel:
    """One end of a channel.

    Attributes:
        handlers: The handlers of the commands that the other end may send.
        closed: Set once the other end is closed, usually because its process has ended.
    """

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self.handlers = dict(handlers)
        self.closed = asyncio.Event()
        self._ids = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, object]]] = {}
        self._replying = BackgroundTasks()
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self, connection: socket.socket) -> None:
        """Use a connected socket from now on."""
        reader, self._writer = await asyncio.open_unix_connection(sock=connection, limit=MAX_REPLY)
        self._reading = asyncio.get_running_loop().create_task(self._read(reader))

    async def ask(self, command: str, **arguments: object) -> dict[str, object]:
        """Send a command and return its result.

        Raises:
            ControlError: the command is too long, the other process has ended, or it reports an error.
        """
        if self.closed.is_set():
            raise ControlError("the process has ended")
        number = next(self._ids)
        reply: asyncio.Future[dict[str, object]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = reply
        try:
            self._send({"id": number, "command": command, "arguments": arguments})
            return await reply
        finally:
            del self._waiting[number]

    def _send(self, message: Mapping[str, object]) -> None:
        """Send a message. Raises ControlError if it is too long: the other end would close the channel."""
        line = json.dumps(message).encode()
        if len(line) > MAX_REPLY:
            raise ControlError(f"the message has {len(line)} bytes, expected at most {MAX_REPLY}")
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(line + b"\n")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                self._take(json.loads(line))
        except (OSError, ValueError) as error:  # the other end is this program as well, and perhaps it was killed
            logger.debug("a channel is closed: %s", error)
        finally:
            self.closed.set()
            for reply in self._waiting.values():
                if not reply.done():
                    reply.set_exception(ControlError("the process has ended"))

    def _take(self, message: dict[str, object]) -> None:
        """Reply to a command in a task of its own, or pass a reply on to the one who waits for it."""
        if "command" in message:
            self._replying.begin(self._reply(message))
            return
        reply = self._waiting.get(int(str(message["id"])))
        if reply is None or reply.done():
            return
        if "error" in message:
            reply.set_exception(ControlError(str(message["error"])))
        else:
            result = message["result"]
            reply.set_result(result if isinstance(result, dict) else {})

    async def _reply(self, message: dict[str, object]) -> None:
        reply = await run_command(self.handlers, message)
        try:
            self._send({"id": message["id"], **reply})
        except ControlError as error:
            self._send({"id": message["id"], "error": str(error)})

    async def close(self) -> None:
        """Send what is waiting, and close this end. Commands under way are given up."""
        for task in self._replying:
            task.cancel()
        if self._writer is not None:
            self._writer.close()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
