"""The table of leases: which worker holds which lease, and who waits for it. It knows no sockets and no clock."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from addon.runtime.leases.frames import Result, Telling

_TOLD = {Result.STORED: Telling.STORED, Result.NOT_SHARED: Telling.NOT_SHARED}


class Worker(Protocol):
    """One worker, as the table sees it. Two workers are never equal."""

    def tell(self, telling: Telling, number: int, seconds: int = 0) -> None:
        """Send a frame about the worker's ask of that number."""


@dataclass(slots=True, eq=False)
class _Ask:
    worker: Worker
    number: int
    limit: float
    """Seconds for which the lease is asked."""
    lease: _Lease


@dataclass(slots=True, eq=False)
class _Lease:
    name: bytes
    until: float = 0.0
    """The time at which it ends by itself, in seconds on the clock of the caller."""
    holder: _Ask | None = None
    waiting: OrderedDict[_Ask, None] = field(default_factory=OrderedDict)


class LeaseTable:
    """All leases that are held. A lease ends with its holder's word, its connection, or after its time."""

    def __init__(self) -> None:
        self._leases: OrderedDict[bytes, _Lease] = OrderedDict()
        """By name, those that were granted first at the beginning."""
        self._asks: dict[Worker, dict[int, _Ask]] = {}

    def __len__(self) -> int:
        """Return the number of leases that are held."""
        return len(self._leases)

    @property
    def waiting(self) -> int:
        """The number of asks that wait."""
        return sum(len(lease.waiting) for lease in self._leases.values())

    def ask(self, worker: Worker, number: int, name: bytes, limit: float, *, now: float) -> None:
        """Grant a lease for `limit` seconds, or let the worker wait if another one holds it.

        `now` is in seconds, on a clock that is never set back.
        """
        self._end_overdue(name, now)
        lease = self._leases.get(name)
        if lease is None:
            lease = self._leases[name] = _Lease(name)
            self._grant(lease, self._added(worker, number, limit, lease), now)
        else:
            worker.tell(Telling.WAIT, number)
            self._let_wait(lease, self._added(worker, number, limit, lease))

    def end(self, worker: Worker, number: int, result: Result, seconds: int, *, now: float) -> None:
        """End a lease, or the waiting for one. What is not known any more is ignored: its time was up."""
        ask = self._asks.get(worker, {}).pop(number, None)
        if ask is None:
            return
        lease = ask.lease
        if lease.holder is not ask:
            lease.waiting.pop(ask, None)
        elif result is Result.PASSED_ON:
            self._pass_on(lease, now)
        else:
            self._conclude(lease, result, seconds)

    def lost(self, worker: Worker, *, now: float) -> None:
        """End everything of a worker whose connection has ended."""
        for number in list(self._asks.get(worker, ())):
            self.end(worker, number, Result.PASSED_ON, 0, now=now)
        self._asks.pop(worker, None)

    def _added(self, worker: Worker, number: int, limit: float, lease: _Lease) -> _Ask:
        ask = self._asks.setdefault(worker, {})[number] = _Ask(worker, number, limit, lease)
        return ask

    def _grant(self, lease: _Lease, ask: _Ask, now: float) -> None:
        lease.holder, lease.until = ask, now + ask.limit
        ask.worker.tell(Telling.GRANTED, ask.number)

    def _let_wait(self, lease: _Lease, ask: _Ask) -> None:
        if not lease.waiting and lease.holder is not None:
            lease.holder.worker.tell(Telling.WANTED, lease.holder.number)
        lease.waiting[ask] = None

    def _pass_on(self, lease: _Lease, now: float) -> None:
        """Give a lease to the worker that has waited for the longest time."""
        if not lease.waiting:
            del self._leases[lease.name]
            return
        ask, _ = lease.waiting.popitem(last=False)
        self._leases.move_to_end(lease.name)
        self._grant(lease, ask, now)
        if lease.waiting:
            ask.worker.tell(Telling.WANTED, ask.number)

    def _conclude(self, lease: _Lease, result: Result, seconds: int) -> None:
        """Tell all who wait how a lease ended."""
        del self._leases[lease.name]
        for ask in lease.waiting:
            self._asks[ask.worker].pop(ask.number, None)
            ask.worker.tell(_TOLD[result], ask.number, seconds)

    def _end_overdue(self, asked: bytes, now: float) -> None:
        """End the lease that is asked for if its time is up, and the oldest ones."""
        oldest = next(iter(self._leases.values()), None)
        while oldest is not None and oldest.until <= now:
            self._end_late(oldest)
            oldest = next(iter(self._leases.values()), None)
        lease = self._leases.get(asked)
        if lease is not None and lease.until <= now:  # it was asked for a shorter time than those before it
            self._end_late(lease)

    def _end_late(self, lease: _Lease) -> None:
        if lease.holder is not None:
            self._asks[lease.holder.worker].pop(lease.holder.number, None)
        self._conclude(lease, Result.NOT_SHARED, 0)
