"""The proxy's end of the control socket, a Unix socket in the store's folder that the command line connects to.

A request is one JSON line: `{"command": "purge", "arguments": {"host": "example.org"}}`. A reply is one JSON line:
`{"result": {...}}` or `{"error": "what is wrong"}`. A process that can write to the socket can run every command, so
only the owner has access to it (mode 0600).
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from addon.runtime.control_client import MAX_LINE, ControlClient, ControlError
from addon.runtime.unix_address import unix_address

Handler = Callable[[Mapping[str, object]], Awaitable[dict[str, object]]]

GUARD_INTERVAL = 0.5
"""Seconds between two looks whether the socket is still there."""

logger = logging.getLogger(__name__)


class ControlServer:
    """The proxy's end. `handlers` maps commands to handlers; a handler raises ValueError for invalid arguments."""

    def __init__(self, store_path: Path, handlers: Mapping[str, Handler], *, in_thread: bool = True) -> None:
        """Prepare to listen in the folder `store_path`. `in_thread`: a slow disk does not stop the event loop."""
        self._in_thread = in_thread
        self._store_path = store_path
        self._handlers = handlers
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None] | None] = set()
        self.path: Path | None = None
        """The path of the socket while it exists, else None."""
        self._inode = 0
        self._guard: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen on the socket, and create it again whenever its file is removed.

        If it cannot be created now, this is logged, and tried again later.
        """
        try:
            await self._listen()
        except OSError as error:
            logger.warning("commands cannot reach this proxy yet: %s", error)
        self._guard = asyncio.get_running_loop().create_task(self._listen_again())

    async def _listen_again(self) -> None:
        """Replace the socket when its file is gone, as when the store's directory was removed."""
        while True:
            await asyncio.sleep(GUARD_INTERVAL)
            if await asyncio.to_thread(self._is_there) if self._in_thread else self._is_there():
                continue
            with suppress(OSError):  # tried again after the next interval
                await self._stop_listening()
                await self._listen()

    def _is_there(self) -> bool:
        try:
            return self.path is not None and self.path.stat().st_ino == self._inode
        except OSError:
            return False

    async def _listen(self) -> None:
        """Create the socket and listen on it. Raises OSError if that fails."""
        self._store_path.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = self._store_path / f".control-{token_hex(4)}"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # it gets its real name only when it listens: another process would remove a socket without a listener
            with unix_address(name) as address:
                listener.bind(address)
            name.chmod(0o600)
            listener.listen()
            self.path = name.rename(self._free_name())
            self._inode = self.path.stat().st_ino
            self._server = await asyncio.start_unix_server(self._serve_connection, sock=listener, limit=MAX_LINE)
        except BaseException:
            listener.close()
            (self.path or name).unlink(missing_ok=True)
            self.path = None
            raise

    def _free_name(self) -> Path:
        # containers that share a store may have processes with the same id
        pid, attempt = os.getpid(), 0
        path = self._store_path / f"control-{pid}.sock"
        while path.exists() and ControlClient(path).is_listening():
            attempt += 1
            path = self._store_path / f"control-{pid}-{attempt}.sock"
        return path

    async def close(self) -> None:
        """Remove the socket and close its connections."""
        if self._guard is not None:
            self._guard.cancel()
            await asyncio.gather(self._guard, return_exceptions=True)
        if self.path is not None:
            with suppress(OSError):  # the disk is read-only or gone
                self.path.unlink(missing_ok=True)
            self.path = None
        # asyncio accepts a waiting connection in the next iteration of the loop and starts its handler in the one after
        # that; it loses the connection if the server closes in between
        for _ in range(3):
            await asyncio.sleep(0)
        if self._server is not None:
            self._server.close()
        # a handler that has not started yet sees that `path` is None, and returns
        tasks = [task for task in self._tasks if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    async def _stop_listening(self) -> None:
        """Stop listening on a socket whose file is gone. Commands under way go on."""
        self.path = None
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            while self.path is not None and (line := await reader.readline()):
                writer.write(json.dumps(await self._reply(line)).encode() + b"\n")
                await writer.drain()
        except ValueError:  # a line above the limit: the start of the next request cannot be found
            writer.write(json.dumps({"error": f"expected a line of at most {MAX_LINE} bytes"}).encode() + b"\n")
        except ConnectionError:
            pass  # the client closed the connection
        except asyncio.CancelledError:
            writer.transport.abort()  # a client that does not read must not delay the shutdown
            raise
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _reply(self, line: bytes) -> dict[str, object]:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            request = None
        return await run_command(self._handlers, request)


async def run_command(handlers: Mapping[str, Handler], request: object) -> dict[str, object]:
    """Run a command, given as `{"command": ..., "arguments": {...}}`. Return `{"result": ...}` or `{"error": ...}`."""
    match request:
        case {"command": command, "arguments": arguments}:
            pass
        case _:
            return {"error": "expected a JSON object with command and arguments"}
    handler = handlers.get(command) if isinstance(command, str) else None
    if handler is None or not isinstance(arguments, dict):
        return {"error": f"unknown command {command}, expected one of {', '.join(sorted(handlers))}"}
    try:
        return {"result": await handler(arguments)}
    except (ValueError, ControlError) as error:
        return {"error": str(error)}
    except Exception as error:  # any error of a handler is reported to the client, and the socket stays usable
        logger.warning("control command %s failed", command, exc_info=True)
        return {"error": f"{type(error).__name__}: {error}"}
