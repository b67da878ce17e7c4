"""The Unix socket that a running proxy holds beside its store, and the command line's end of it.

One JSON line asks: `{"command": "purge", "arguments": {"host": "example.org"}}`. One JSON line answers:
`{"result": {...}}` or `{"error": "what is wrong"}`. Who may write to the socket may do everything, so the socket is
its owner's alone (mode 0600).
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

Handler = Callable[[Mapping[str, object]], Awaitable[dict[str, object]]]

MAX_LINE = 1_048_576
"""Octets of a request or a reply."""

MAX_ADDRESS = 100
"""Octets of a path that surely fits a socket address; the limit is 104 or 108."""

MAX_REPLY = 67_108_864
"""Octets of a reply that carries a document."""

REPLY_TIMEOUT = 60.0
"""Seconds that the command line waits for a proxy."""

logger = logging.getLogger(__name__)


class ControlError(Exception):
    """A running proxy did not do what was asked. The text says why."""


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """Yield a name for `path` that fits a socket address, good while the context is open."""
    if len(os.fsencode(path)) <= MAX_ADDRESS:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


class ControlServer:
    """The proxy's end. `handlers` maps a command to what answers it; a handler's ValueError is the asker's fault."""

    def __init__(self, store_path: Path, handlers: Mapping[str, Handler]) -> None:
        self._store_path = store_path
        self._handlers = handlers
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None] | None] = set()
        self.path: Path | None = None
        """The socket, while it is there."""

    async def start(self) -> None:
        """Hold the socket. Raises OSError where that is not possible."""
        self._store_path.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = self._store_path / f".control-{token_hex(4)}"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # under a name that nobody looks for until it listens, or it could be taken for a dead one
            with _address(name) as address:
                listener.bind(address)
            name.chmod(0o600)
            listener.listen()
            self.path = name.rename(self._free_name())
            self._server = await asyncio.start_unix_server(self._converse, sock=listener, limit=MAX_LINE)
        except BaseException:
            listener.close()
            (self.path or name).unlink(missing_ok=True)
            self.path = None
            raise

    def _free_name(self) -> Path:
        # in containers that share a store, several processes have the same id
        pid, attempt = os.getpid(), 0
        path = self._store_path / f"control-{pid}.sock"
        while path.exists() and ControlClient(path).listens():
            attempt += 1
            path = self._store_path / f"control-{pid}-{attempt}.sock"
        return path

    async def close(self) -> None:
        """Let go of the socket and of everybody connected to it."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
            self.path = None
        # whoever connected before the socket went is accepted in the loop's next turn and attached in the one after;
        # asyncio loses the connection if the server closes in between
        for _ in range(3):
            await asyncio.sleep(0)
        if self._server is not None:
            self._server.close()
        # one that has not begun yet finds no path and ends by itself
        conversations = [conversation for conversation in self._conversations if conversation is not None]
        for conversation in conversations:
            conversation.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.current_task()
        self._conversations.add(conversation)
        try:
            while self.path is not None and (line := await reader.readline()):
                writer.write(json.dumps(await self._reply(line)).encode() + b"\n")
                await writer.drain()
        except ValueError:  # a line beyond the limit: what follows it cannot be understood
            writer.write(json.dumps({"error": f"expected a line of at most {MAX_LINE} octets"}).encode() + b"\n")
        except ConnectionError:
            pass  # the asker went away
        except asyncio.CancelledError:
            writer.transport.abort()  # an asker who does not read must not hold up the end
            raise
        finally:
            self._conversations.discard(conversation)
            writer.close()

    async def _reply(self, line: bytes) -> dict[str, object]:
        try:
            request = json.loads(line)
            command, arguments = request["command"], request["arguments"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return {"error": "expected a JSON object with command and arguments"}
        handler = self._handlers.get(command) if isinstance(command, str) else None
        if handler is None or not isinstance(arguments, dict):
            return {"error": f"unknown command {command}, expected one of {', '.join(sorted(self._handlers))}"}
        try:
            return {"result": await handler(arguments)}
        except ValueError as error:
            return {"error": str(error)}
        except Exception as error:  # whatever a handler met, the asker is told and the socket lives on
            logger.warning("control command %s failed", command, exc_info=True)
            return {"error": f"{type(error).__name__}: {error}"}


@dataclass(frozen=True, slots=True)
class ControlClient:
    """The command line's end of one running proxy's socket."""

    path: Path

    def listens(self) -> bool:
        """Tell whether somebody listens. Raises OSError if the socket is not ours to use."""
        try:
            self._connect().close()
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except BlockingIOError:
            pass  # so many are asking that the queue is full
        return True

    def ask(self, command: str, **arguments: object) -> dict[str, object]:
        """Return the proxy's answer to a command.

        Raises:
            ControlError: the proxy is gone, says nothing for REPLY_TIMEOUT, or refuses.
        """
        try:
            with self._connect() as connection, connection.makefile("rb") as replies:
                connection.sendall(json.dumps({"command": command, "arguments": arguments}).encode() + b"\n")
                line = replies.readline(MAX_LINE)
        except OSError as error:
            raise ControlError(f"{self.path}: {error.strerror or error}") from error
        return self._result(line)

    async def ask_patiently(self, command: str, **arguments: object) -> dict[str, object]:
        """Return the proxy's answer to a command that may take as long as it likes, without holding up the loop.

        Raises:
            ControlError: the proxy is gone, or refuses.
        """
        try:
            connection = self._connect()
            connection.setblocking(False)
            reader, writer = await asyncio.open_unix_connection(sock=connection, limit=MAX_REPLY)
            try:
                writer.write(json.dumps({"command": command, "arguments": arguments}).encode() + b"\n")
                line = await reader.readline()
            finally:
                writer.close()
        except (OSError, ValueError) as error:
            raise ControlError(f"{self.path}: {error}") from error
        return self._result(line)

    def _result(self, line: bytes) -> dict[str, object]:
        try:
            reply = json.loads(line)
            if "error" in reply:
                raise ControlError(f"{self.path}: {reply['error']}")
            return dict(reply["result"])
        except (ValueError, TypeError, KeyError):
            raise ControlError(f"{self.path}: the proxy went away before it answered") from None

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(REPLY_TIMEOUT)
        try:
            with _address(self.path) as address:
                connection.connect(address)
        except BaseException:
            connection.close()
            raise
        return connection


def running_proxies(store_path: Path) -> list[ControlClient]:
    """Return the running proxies of a store. Sockets that nobody listens on any more are removed."""
    proxies = []
    for path in sorted(store_path.glob("control-*.sock")):
        client = ControlClient(path)
        if client.listens():
            proxies.append(client)
        else:
            with suppress(OSError):  # not ours to remove, or removed by somebody else
                path.unlink()
    return proxies
