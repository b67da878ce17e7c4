"""Leases that the engine of a shared store grants, so that many nodes make one fetch.

A lease is a name in the engine that ends by itself a few seconds after its holder has last said that it is alive. Who
has to wait for it adds another name. That one is deleted with the lease, and the engine tells all nodes of it. So
nobody is told of a lease for which nobody waits.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from addon.runtime.leases.answers import Answer, Answered, LeaseName
from addon.runtime.leases.frames import Result
from cache.stores.base import StoreError
from cache.stores.redis.connection import Command, Reply, Request
from cache.stores.redis.engine import checked
from cache.stores.redis.scripts import END_LEASE, HELD, NOT_SHARED, NOT_SHARED_FOR, STORED, TAKE_LEASE
from cache.stores.redis.store import RedisStore

logger = logging.getLogger(__name__)

LIFE = 3.0
"""Seconds after which a lease ends whose holder is dead."""
RENEWAL = 1.0
"""Seconds between two signs of life."""
LOOK = 0.5
"""Seconds between two looks at a lease that somebody waits for. Nobody is told in time that one ends by itself."""
AFTERGLOW = 1.0
"""Seconds for which those who wait can see how a lease has ended."""


class SharedLease:
    """One ask for a lease, from the ask to the end of the lease.

    Attributes:
        on_wanted: Not called: all nodes see what was stored as soon as the lease ends.
        is_wanted: False.
    """

    def __init__(self, leases: SharedLeases, name: str, limit: float, answered: Answered) -> None:
        self.name = name
        self.wait = leases.wait_for(name)
        self.on_wanted: Callable[[], None] | None = None
        self.is_wanted = False
        self._leases = leases
        self._value = f"{HELD}{secrets.token_hex(8)}"
        self._answered: Answered | None = answered
        self._is_held = self._has_ended = False
        loop = asyncio.get_running_loop()
        self._until = loop.time() + limit
        self._timer: asyncio.TimerHandle | None = None
        self._patience = int(limit * 1000) + 1
        self._limit = loop.call_later(limit, self._waited_in_vain)

    def take(self) -> None:
        """Ask for the lease."""
        self._leases.run(
            self.name,
            TAKE_LEASE.call([self.name, self.wait], [self._value, int(LIFE * 1000), self._patience]),
            partial(self._told, is_take=True),
        )

    def look(self) -> None:
        """Look at the lease that another node holds."""
        self._stop_timer()
        if self._answered is not None and not self._is_held:
            self._leases.run(self.name, ("GET", self.name), partial(self._told, is_take=False))

    def _told(self, reply: Reply, *, is_take: bool) -> None:
        """Take the value of the lease; a StoreError is none."""
        value = reply.decode() if isinstance(reply, bytes) else None
        if value == self._value:
            self._is_held = True
            if self._has_ended:  # it was granted too late
                self._release(Result.PASSED_ON, 0)
            else:
                self._leases.renew_soon(self)
                self.answer(Answer.GRANTED)
        elif self._answered is None:
            return
        elif isinstance(reply, BaseException):
            self.answer(Answer.ALONE)
        elif value is None:
            self.take()
        elif value[0] == HELD:
            self._timer = asyncio.get_running_loop().call_later(LOOK, self.look)
        elif value[0] == STORED and not is_take:
            self.answer(Answer.STORED)
        else:
            self.answer(Answer.NOT_SHARED, int(value[1:]) if value[1:].isdecimal() else 0)

    def renew(self) -> bool:
        """Let the lease live on. Return false if that is not wanted any more."""
        if self._has_ended or asyncio.get_running_loop().time() > self._until:
            return False
        self._end(self._value, LIFE)
        return True

    def end(self, result: Result, seconds: float = 0.0) -> None:
        """End the lease, or the waiting for it: the answer is ALONE then. May be called again."""
        if self._has_ended:
            return
        self._has_ended = True
        self._leases.forget(self)
        if self._is_held:
            self._release(result, int(seconds))
        if self._answered is not None:
            asyncio.get_running_loop().call_soon(self.answer, Answer.ALONE)

    def _release(self, result: Result, seconds: int) -> None:
        value, life = "", AFTERGLOW
        if result is Result.STORED:
            value = STORED
        elif result is Result.NOT_SHARED:
            value, life = (f"{NOT_SHARED_FOR}{seconds}", seconds) if seconds else (NOT_SHARED, AFTERGLOW)
        self._end(value, life)

    def _end(self, value: str, life: float) -> None:
        """Give the lease another value, which lives for so many seconds; the present one lets it live on."""
        self._leases.run(self.name, END_LEASE.call([self.name, self.wait], [self._value, value, int(life * 1000)]))

    def answer(self, answer: Answer, seconds: int = 0) -> None:
        """Pass on the answer, if there was none yet."""
        self._stop_timer()
        self._limit.cancel()
        answered, self._answered = self._answered, None
        if answer is not Answer.GRANTED:
            self._leases.forget(self)
        if answered is not None:
            answered(answer, seconds)

    def _waited_in_vain(self) -> None:
        self._has_ended = True
        self.answer(Answer.NOT_SHARED)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class SharedLeases:
    """Asks the engine of a shared store for leases."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked: dict[str, set[SharedLease]] = {}
        """Those that have not ended, by the names of the waits for them."""
        self._held: set[SharedLease] = set()
        self._renewal: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Hear of changes from now on."""
        self._loop = asyncio.get_running_loop()
        self._store.invalidation.on_lease = self._told

    async def close(self) -> None:
        """End the leases that are held. What is asked for is answered ALONE."""
        self._store.invalidation.on_lease = lambda _name: None
        for leases in list(self._asked.values()):
            for lease in list(leases):
                lease.end(Result.PASSED_ON)
        if self._renewal is not None:
            self._renewal.cancel()

    @property
    def is_ready(self) -> bool:
        """Return whether the engine can be used now."""
        return self._loop is not None and self._store.engine.problem is None

    def ask(self, name: LeaseName, limit: float, answered: Answered) -> SharedLease:
        """Ask for a lease, as `Leases` says."""
        lease = SharedLease(self, self._store.names.lease(*name), limit, answered)
        self._asked.setdefault(lease.wait, set()).add(lease)
        lease.take()
        return lease

    def wait_for(self, name: str) -> str:
        """Return the name that exists in the engine while somebody waits for a lease."""
        return self._store.names.wait(name)

    def forget(self, lease: SharedLease) -> None:
        """Note that a lease, or the waiting for it, has ended."""
        self._held.discard(lease)
        if (same := self._asked.get(lease.wait)) is not None:
            same.discard(lease)
            if not same:
                del self._asked[lease.wait]

    def renew_soon(self, lease: SharedLease) -> None:
        """Let a lease that is held live on until it is forgotten."""
        self._held.add(lease)
        if self._renewal is None and self._loop is not None:
            self._renewal = self._loop.call_later(RENEWAL, self._renew)

    def _renew(self) -> None:
        self._renewal = None
        self._held = {lease for lease in self._held if lease.renew()}
        if self._held and self._loop is not None:
            self._renewal = self._loop.call_later(RENEWAL, self._renew)

    def run(self, name: str, command: Command, told: Callable[[Reply | StoreError], None] | None = None) -> None:
        """Send a command. `told` is called on the event loop with its reply, or with a StoreError."""
        request, loop = Request([command]), self._loop
        if told is not None and loop is not None:
            request.result.add_done_callback(lambda _: _call(loop, told, request))
        self._store.engine.send(name, request)

    def _told(self, name: bytes | None) -> None:
        """Take the name of a wait that has begun or ended, on the engine's thread; None if any may have."""
        wait = name.decode() if name is not None else None
        if self._loop is not None and (wait is None or wait in self._asked):
            with suppress(RuntimeError):  # the event loop has ended
                self._loop.call_soon_threadsafe(self._changed, wait)

    def _changed(self, wait: str | None) -> None:
        changed = list(self._asked.values()) if wait is None else [self._asked.get(wait, set())]
        for leases in changed:
            for lease in list(leases):
                lease.look()


def _call(loop: asyncio.AbstractEventLoop, told: Callable[[Reply | StoreError], None], request: Request) -> None:
    try:
        reply: Reply | StoreError = checked(request.result.result())[0]
    except StoreError as error:
        reply = error
    with suppress(RuntimeError):  # the event loop has ended
        loop.call_soon_threadsafe(told, reply)
