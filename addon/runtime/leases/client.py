"""The worker's end of the lease server: asks for leases, and goes on without the server if that is gone or slow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import cast

from addon.runtime.leases.answers import Answer, Answered, LeaseName
from addon.runtime.leases.frames import Result, Telling, ask, end, from_server
from addon.runtime.unix_address import unix_address

logger = logging.getLogger(__name__)

SLOW = 0.25
"""Seconds in which the server must say whether a lease is granted. One that has ended is noticed at once."""

PAUSE = 2.0
"""Seconds without asking after the server was slow, and between two attempts to connect."""


class Lease:
    """One ask: for its time until the answer, and as long as this worker holds the lease.

    Attributes:
        on_wanted: Called when another worker waits for this one, which holds the lease.
        is_wanted: Another worker waits.
        since: When it was asked for, in seconds on the clock of the client.
    """

    __slots__ = ("_answered", "_client", "_heard", "_limit", "_number", "_timer", "is_wanted", "on_wanted", "since")

    def __init__(self, client: LeaseClient, number: int, limit: float, answered: Answered) -> None:
        self._client = client
        self._number = number
        self._limit = limit
        self.since = client.now()
        self._answered: Answered | None = answered
        self._timer: asyncio.TimerHandle | None = None
        self.on_wanted: Callable[[], None] | None = None
        self.is_wanted = self._heard = False

    def end(self, result: Result, seconds: float = 0.0) -> None:
        """End the lease, or the waiting for it: the answer is ALONE then. May be called again."""
        self._client.end(self._number, result, seconds)
        if self._answered is not None:
            asyncio.get_running_loop().call_soon(self.answer, Answer.ALONE)

    @property
    def is_unheard(self) -> bool:
        """Return whether the server has said nothing yet, and somebody waits for that."""
        return not self._heard and self._answered is not None

    def told(self, telling: int, seconds: int) -> None:
        """Take a frame of the server."""
        self._heard = True
        if telling == Telling.GRANTED:
            self.answer(Answer.GRANTED)
        elif telling == Telling.WANTED:
            self.is_wanted = True
            if self.on_wanted is not None:
                self.on_wanted()
        elif telling == Telling.WAIT and self._answered is None:  # it comes too late
            self._client.end(self._number, Result.NOT_SHARED)
        elif telling == Telling.WAIT:
            self._timer = asyncio.get_running_loop().call_later(self._limit, self._waited_in_vain)
        else:
            self._client.forget(self._number)
            self.answer(Answer.STORED if telling == Telling.STORED else Answer.NOT_SHARED, seconds)

    def answer(self, answer: Answer, seconds: int = 0) -> None:
        """Pass on the answer, if there was none yet."""
        self._stop_timer()
        answered, self._answered = self._answered, None
        if answered is not None:
            answered(answer, seconds)

    def _waited_in_vain(self) -> None:
        self._client.end(self._number, Result.NOT_SHARED)
        self.answer(Answer.NOT_SHARED)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class LeaseClient(asyncio.Protocol):
    """The connection to the lease server. Frames of one pass of the loop are sent together."""

    def __init__(self, path: Path) -> None:
        """Ask the server at `path`, once `start` was called."""
        self._path = path
        self._transport: asyncio.Transport | None = None
        self._reader = from_server()
        self._number = 0
        self._asks: dict[int, Lease] = {}
        """Those that have not ended, by number."""
        self._unheard: list[Lease] = []
        """Those that the server has said nothing about, and others."""
        self._watch: asyncio.TimerHandle | None = None
        self._frames: list[bytes] = []
        self._paused_until = 0.0
        self._closed = False
        self._connecting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect. If that fails now, it is tried again later."""
        await self._connect()

    async def close(self) -> None:
        """Disconnect. The leases that are held end, and what is asked for is answered ALONE."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        if self._transport is not None:
            self._transport.close()  # what waits to be sent is sent before

    @staticmethod
    def now() -> float:
        """Return seconds, on a clock that is never set back."""
        return monotonic()

    @property
    def is_ready(self) -> bool:
        """Return whether the server can be asked now."""
        return self._transport is not None and (not self._paused_until or self.now() >= self._paused_until)

    def ask(self, name: LeaseName, limit: float, answered: Answered) -> Lease:
        """Ask for a lease, if the client `is_ready`. `answered` is called later, never before this returns.

        Args:
            name: The name of the lease.
            limit: Seconds for which the lease is asked, and that this worker waits for another one at most.
            answered: Called once with the answer.
        """
        self._number = number = (self._number + 1) & 0xFFFF_FFFF
        lease = self._asks[number] = Lease(self, number, limit, answered)
        self._unheard.append(lease)
        if self._watch is None:
            self._check_after(SLOW)
        self._send(ask(number, limit, name.digest))
        return lease

    def end(self, number: int, result: Result, seconds: float = 0.0) -> None:
        """End an ask; if it has ended already, nothing happens."""
        if self._asks.pop(number, None) is not None:
            self._send(end(result, number, seconds))

    def forget(self, number: int) -> None:
        """Note that the server has ended an ask."""
        self._asks.pop(number, None)

    def _send(self, frame: bytes) -> None:
        if not self._frames:
            asyncio.get_running_loop().call_soon(self._flush)
        self._frames.append(frame)

    def _flush(self) -> None:
        sent, self._frames = self._frames, []
        if self._transport is not None:
            self._transport.write(b"".join(sent))

    def _check_after(self, seconds: float) -> None:
        self._watch = asyncio.get_running_loop().call_later(seconds, self._check, self.now() + seconds)

    def _check(self, due: float) -> None:
        """Go on alone where the server has not answered in time, and ask for nothing for a while."""
        self._watch, now = None, self.now()
        overdue = [lease for lease in self._unheard if lease.is_unheard and now - lease.since >= SLOW]
        if overdue and now - due < SLOW / 2:  # else this process was busy, and has not read yet what was said
            logger.warning("the lease server is slow: no leases for %g s", PAUSE)
            self._paused_until = now + PAUSE
            for lease in overdue:
                lease.answer(Answer.ALONE)
        self._unheard = [lease for lease in self._unheard if lease.is_unheard]
        if self._unheard:
            self._check_after(SLOW / 2)

    # ---- the connection

    async def _connect(self) -> None:
        """Connect, or try again after a pause."""
        try:
            with unix_address(self._path) as address:
                await asyncio.get_running_loop().create_unix_connection(lambda: self, address)
        except OSError:
            self._connect_later()

    def _connect_later(self) -> None:
        if not self._closed:
            self._connecting = asyncio.get_running_loop().create_task(self._connect_after_pause())

    async def _connect_after_pause(self) -> None:
        await asyncio.sleep(PAUSE)
        await self._connect()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask this server from now on."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        self._reader, self._paused_until = from_server(), 0.0

    def data_received(self, data: bytes) -> None:
        """Take what the server says. What concerns an ask that has ended is ignored."""
        asks = self._asks
        for telling, seconds, number in self._reader.frames(data):
            if (lease := asks.get(number)) is not None:
                lease.told(telling, seconds)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Go on alone, and connect again later."""
        self._transport = None
        asks, self._asks, self._unheard = self._asks, {}, []
        for lease in asks.values():
            lease.answer(Answer.ALONE)
        if not self._closed:
            logger.warning("the lease server is gone: no leases until it is back")
            self._connect_later()
