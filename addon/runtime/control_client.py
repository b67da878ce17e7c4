"""The command line's end of the control socket, whose other end is in `control`."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from addon.runtime.unix_address import unix_address

MAX_LINE = 1_048_576
"""The largest request or reply, in bytes."""

MAX_REPLY = 67_108_864
"""The largest reply that contains a document, in bytes."""

REPLY_TIMEOUT = 60.0
"""Seconds that the command line waits for a reply."""


class ControlError(Exception):
    """A running proxy did not carry out a command. The text says why."""


@dataclass(frozen=True, slots=True)
class ControlClient:
    """The command line's end of one running proxy's control socket."""

    path: Path

    def is_listening(self) -> bool:
        """Return whether a process listens on the socket. Raises OSError if the socket is not accessible."""
        try:
            self._connect().close()
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except BlockingIOError:
            pass  # the queue of waiting connections is full, so there is a listener
        return True

    def ask(self, command: str, **arguments: object) -> dict[str, object]:
        """Run a command in the proxy and return its result.

        Raises:
            ControlError: the proxy has ended, sends nothing for REPLY_TIMEOUT seconds, or reports an error.
        """
        try:
            with self._connect() as connection, connection.makefile("rb") as replies:
                connection.sendall(json.dumps({"command": command, "arguments": arguments}).encode() + b"\n")
                line = replies.readline(MAX_LINE)
        except OSError as error:
            raise ControlError(f"{self.path}: {error.strerror or error}") from error
        return self._result(line)

    async def ask_async(self, command: str, **arguments: object) -> dict[str, object]:
        """Run a command in the proxy and return its result, without a time limit and without blocking the event loop.

        Raises:
            ControlError: the proxy has ended, or reports an error.
        """
        import asyncio  # slow to import, and most commands wait for the reply instead

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
                raise ControlError(str(reply["error"]))
            return dict(reply["result"])
        except (ValueError, TypeError, KeyError):
            raise ControlError(f"{self.path}: the proxy closed the connection before it replied") from None

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(REPLY_TIMEOUT)
        try:
            with unix_address(self.path) as address:
                connection.connect(address)
        except BaseException:
            connection.close()
            raise
        return connection


def numbers_in(reply: object) -> dict[str, int]:
    """Return the whole numbers in a reply, or in a table of one, by name; values of another type are left out."""
    entries = reply.items() if isinstance(reply, Mapping) else ()
    return {str(name): number for name, number in entries if isinstance(number, int)}


def number_in(value: object) -> int:
    """Return a whole number of a reply; 0 if it is none."""
    return value if isinstance(value, int) else 0


def table_in(value: object) -> dict[str, object]:
    """Return a table of a reply; an empty one if it is none."""
    return value if isinstance(value, dict) else {}


def tables_in(value: object) -> list[dict[str, object]]:
    """Return the tables in a list of a reply; an empty list if it is none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list | tuple) else []


def running_proxies(store_path: Path) -> list[ControlClient]:
    """Return the running proxies of a store. Sockets without a listener are removed."""
    proxies = []
    for path in sorted(store_path.glob("control-*.sock")):
        client = ControlClient(path)
        if client.is_listening():
            proxies.append(client)
        else:
            with suppress(OSError):  # no permission, or another process removed it
                path.unlink()
    return proxies
