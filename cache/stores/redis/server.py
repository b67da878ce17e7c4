"""One server of the engine: keeps a connection to it, and leaves it alone while it does not answer in time."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from cache.stores.redis.address import Place
from cache.stores.redis.breaker import Breaker, Interruptions, State
from cache.stores.redis.connection import Connection, EngineError, Request
from cache.stores.redis.dial import Dialer
from cache.stores.redis.scripts import ALL_SCRIPTS

logger = logging.getLogger(__name__)

HEARTBEAT = 1.0
"""Seconds between two questions whether a server is still there; each also shows a purge that was missed."""
PROBE = 0.05
"""The same while it is slow."""
GIVE_UP = 2.0
"""Seconds of silence after which the connection to a slow server is ended, or one that is being prepared."""
RETRY = 0.5
"""Seconds between two attempts to connect."""


class Listener(Protocol):
    """The engine, as a server sees it. All is called on the event loop.

    Attributes:
        interruptions: Counts how often a server could not be used any more.
    """

    interruptions: Interruptions

    def changed(self, names: list[bytes] | None) -> None:
        """Take the names of what has changed; None if it can be anything."""

    async def prepare(self, server: Server, *, is_new: bool) -> None:
        """Make good what a server has missed, before it is used. Raises EngineError if that fails.

        `is_new` if the connection is another one than before.
        """

    def state_changed(self, server: Server) -> None:
        """Note that the server is used now, or not any more."""

    def heartbeat(self, server: Server) -> Request:
        """Return a request that the server answers at once."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The way in which servers are used."""

    timeout: float
    """Seconds in which a server must reply, or send a part of a long reply."""
    watched: tuple[str, ...]
    """The beginnings of the names whose changes are to be heard of."""


class Server:
    """A server at one place.

    Attributes:
        place: Where it is.
        breaker: Whether it can be used.
    """

    def __init__(self, place: Place, dialer: Dialer, options: ServerOptions, listener: Listener) -> None:
        self.place = place
        self.breaker = Breaker(listener.interruptions)
        self._dialer = dialer
        self._options = options
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._connection: Connection | None = None
        self._changed = asyncio.Event()
        """The connection was lost, or the server is slow."""
        self._watch: asyncio.TimerHandle | None = None
        self._task = self._loop.create_task(self._run())

    def send(self, request: Request) -> None:
        """Send a request, if the server can be used; else it fails at once."""
        if self._connection is None or not self.breaker.is_closed:
            request.fail(f"{self.place} is not used: {self.breaker.reason}")
            return
        self.send_anyway(request)

    def send_anyway(self, request: Request) -> None:
        """Send a request also if the server is not ready to be used by others, or is slow."""
        if self._connection is None:
            request.fail(f"{self.place} is not connected")
            return
        self._connection.send(request)
        if self._watch is None:
            self._check_after(self._options.timeout)

    def reconnect(self) -> None:
        """End the connection; another one follows."""
        if self._connection is not None:
            self._connection.abort()

    async def close(self) -> None:
        """End the connection, and connect no more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._watch is not None:
            self._watch.cancel()
        if self._connection is not None:
            self._connection.abort()
            await asyncio.sleep(0)  # the transport calls `connection_lost`

    # ---- time limits

    def _check_after(self, seconds: float) -> None:
        self._watch = self._loop.call_later(seconds, self._check)

    def _check(self) -> None:
        """Open the breaker if a reply is late. What has arrived was read before: a busy process does no harm."""
        self._watch = None
        connection, limit = self._connection, self._options.timeout
        if connection is None or connection.is_idle:
            return
        left = limit - connection.silence()
        if left > 0:
            self._check_after(left + 0.001)
            return
        reason = f"no reply for {limit * 1000:.0f} ms"
        connection.give_up(reason)
        if self.breaker.reply_is_late(reason):
            self._changed.set()  # it is asked at once whether it answers again
            self._listener.state_changed(self)
        if connection.silence() > GIVE_UP:
            connection.abort()
        else:
            self._check_after(limit)

    # ---- the connection

    async def _run(self) -> None:
        while True:
            try:
                await self._connect()
                await self._stay()
            except (EngineError, TimeoutError) as error:
                self._failed(str(error))
            except Exception as error:  # whatever it is, another connection is tried
                logger.exception("the connection to %s failed", self.place)
                self._failed(f"the connection to {self.place} failed: {error!r}")
            finally:
                self._disconnect()
            await asyncio.sleep(RETRY)

    def _failed(self, problem: str) -> None:
        logger.debug("%s", problem)
        if not self.breaker.is_closed:
            self.breaker.reason = problem or self.breaker.reason

    async def _connect(self) -> None:
        connection, told = await self._dialer.connect(self.place, self._pushed, self._changed.set)
        self._connection = connection
        try:
            async with asyncio.timeout(GIVE_UP):
                await self._begin(connection, told)
        except TimeoutError:
            raise EngineError(f"{self.place} does not answer") from None
        self.breaker.ready()
        self._listener.state_changed(self)

    async def _begin(self, connection: Connection, told: dict[str, str]) -> None:
        """Let the server tell of changes and know the scripts, and make good what it has missed."""
        if told.get("role", "master") != "master":
            raise EngineError(f"{self.place} is a replica, which cannot be written to")
        prefixes = [argument for each in self._options.watched for argument in ("PREFIX", each)]
        await connection.ask("CLIENT", "TRACKING", "ON", "BCAST", *["NOLOOP", *prefixes])
        for script in ALL_SCRIPTS:
            await connection.ask("SCRIPT", "LOAD", script.text)
        await self._listener.prepare(self, is_new=True)

    async def _stay(self) -> None:
        """Return when the connection is lost."""
        while self._connection is not None and self._connection.is_open:
            self._changed.clear()
            await self._beat()
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT if self.breaker.is_closed else PROBE):
                    await self._changed.wait()

    async def _beat(self) -> None:
        request, connection = self._listener.heartbeat(self), self._connection
        if connection is None:
            return
        before = self._loop.time()
        self.send_anyway(request)
        try:
            await asyncio.wrap_future(request.result)
            in_time = self._loop.time() - before < self._options.timeout
            if self.breaker.state is not State.SLOW or not in_time or not connection.is_idle:
                return
            await self._listener.prepare(self, is_new=False)
        except EngineError:
            return
        if self.breaker.answered_in_time(owes_replies=not connection.is_idle):
            self._listener.state_changed(self)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        before = self.breaker.state
        if connection is not None:
            connection.abort()
        if self.breaker.lost("the connection was lost" if before is not State.DOWN else self.breaker.reason):
            self._listener.state_changed(self)

    def _pushed(self, push: list[object]) -> None:
        match push:
            case [b"invalidate", None]:  # the whole database was emptied
                self._listener.changed(None)
            case [b"invalidate", [*names]]:
                self._listener.changed([name for name in names if isinstance(name, bytes)])
