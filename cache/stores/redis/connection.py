"""One connection to a server, in RESP3: replies come in the order of the commands, and pushes come in between.

It lives on the event loop of the engine's thread. A request whose time is up fails, and its replies are awaited all the
same, since the server may have carried it out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import cast

import hiredis

from cache.stores.base import StoreError

type Argument = str | bytes | int
type Command = tuple[Argument, ...]
type Reply = bytes | int | float | list[object] | dict[object, object] | hiredis.ReplyError | None
"""A reply of a server. An error is an object, too: another command of the request may have succeeded."""

_NOTHING = object()
"""The parser has no complete reply yet."""


class EngineError(StoreError):
    """The engine cannot be used now: it is slow, gone, or somewhere else."""


class Request:
    """Some commands that are sent together.

    Attributes:
        result: Their replies, or an EngineError.
        since: When they were sent, in seconds on the clock of the event loop.
    """

    __slots__ = ("_replies", "_then", "commands", "result", "since")

    def __init__(self, commands: Sequence[Command], then: Callable[[list[Reply]], None] | None = None) -> None:
        """Let `then` be called with the replies before anything that the server sends later is read."""
        self.commands = commands
        self.result: Future[list[Reply]] = Future()
        self.since = 0.0
        self._then = then
        self._replies: list[Reply] = []

    def add(self, reply: Reply) -> bool:
        """Take a reply. Return whether it was the last one."""
        self._replies.append(reply)
        if len(self._replies) < len(self.commands):
            return False
        if self._then is not None:
            self._then(self._replies)
        if not self.result.done():
            self.result.set_result(self._replies)
        return True

    def fail(self, reason: str) -> None:
        """Let the result be an error, if it is not known yet."""
        if not self.result.done():
            self.result.set_exception(EngineError(reason))


def _packed(command: Command) -> bytes:
    packed: bytes = hiredis.pack_command(command)  # type: ignore[arg-type]  # declared for tuples of one argument
    return packed


class Connection(asyncio.Protocol):
    """A connection, from `connection_made` to `connection_lost`."""

    def __init__(self, on_push: Callable[[list[object]], None], on_lost: Callable[[], None]) -> None:
        self._on_push = on_push
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._parser = hiredis.Reader(notEnoughData=_NOTHING)
        self._waiting: deque[Request] = deque()
        self._transport: asyncio.Transport | None = None
        self._heard = 0.0
        """The time at which the server has last sent anything."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Use this transport."""
        self._transport = cast("asyncio.Transport", transport)

    @property
    def is_open(self) -> bool:
        """True until the connection is lost."""
        return self._transport is not None

    @property
    def is_idle(self) -> bool:
        """True if no reply is awaited."""
        return not self._waiting

    def silence(self) -> float:
        """Return for how many seconds the server has owed a reply and sent nothing."""
        if not self._waiting:
            return 0.0
        return self._loop.time() - max(self._waiting[0].since, self._heard)

    def send(self, request: Request) -> None:
        """Send a request; its result follows."""
        if self._transport is None or self._transport.is_closing():
            request.fail("the connection has ended")
            return
        request.since = self._loop.time()
        self._waiting.append(request)
        self._transport.write(b"".join([_packed(each) for each in request.commands]))

    async def ask(self, *command: Argument) -> Reply:
        """Send one command and return its reply. Raises EngineError."""
        request = Request([command])
        self.send(request)
        [reply] = await asyncio.wrap_future(request.result)
        if isinstance(reply, hiredis.ReplyError):
            raise EngineError(f"{command[0]!s} was refused: {reply}")
        return reply

    def data_received(self, data: bytes) -> None:
        """Pass on what has arrived."""
        self._heard = self._loop.time()
        self._parser.feed(data)
        try:
            while (reply := self._parser.gets()) is not _NOTHING:
                if isinstance(reply, hiredis.PushNotification):
                    self._on_push(reply)
                elif self._waiting[0].add(reply):
                    self._waiting.popleft()
        except (hiredis.ProtocolError, IndexError):  # no server for RESP3, or more replies than commands
            self.abort()

    def give_up(self, reason: str) -> None:
        """Let all requests fail, and go on waiting for their replies."""
        for request in self._waiting:
            request.fail(reason)

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Let all requests fail."""
        self._transport = None
        self.give_up("the connection was lost")
        self._waiting.clear()
        self._on_lost()
