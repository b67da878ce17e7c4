"""Leases as those see them who ask for them, whoever grants them: the supervisor, or the engine of a shared store."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, Protocol

from addon.runtime.leases.frames import Result


class LeaseName(NamedTuple):
    """The name of a lease, equal in all processes on a store."""

    key: str
    """The primary key under which the response is going to be stored."""
    digest: bytes
    """A digest of the key and of what only some requests for it have, if the response is for these alone."""


class Answer(Enum):
    """The answer to an ask. The worker fetches in every case but STORED."""

    GRANTED = "granted"
    """This worker holds the lease, until it ends it."""
    STORED = "stored"
    """Another worker has stored the response."""
    NOT_SHARED = "not-shared"
    """Another worker fetches or has fetched, and this one is not to wait for it."""
    ALONE = "alone"
    """The server is gone or slow, or the worker has ended the ask."""


Answered = Callable[[Answer, int], None]
"""Called once with the answer, and for how many seconds others need not wait (0 if it is not NOT_SHARED)."""


class AskedLease(Protocol):
    """One ask: for its time until the answer, and as long as this worker holds the lease.

    Attributes:
        on_wanted: Called when another worker waits for this one, which holds the lease.
        is_wanted: Another worker waits.
    """

    on_wanted: Callable[[], None] | None
    is_wanted: bool

    def end(self, result: Result, seconds: float = 0.0) -> None:
        """End the lease, or the waiting for it: the answer is ALONE then. May be called again."""


class Leases(Protocol):
    """Grants leases."""

    async def start(self) -> None:
        """Begin. If that fails now, it is tried again later."""

    async def close(self) -> None:
        """End. The leases that are held end, and what is asked for is answered ALONE."""

    @property
    def is_ready(self) -> bool:
        """Return whether leases can be asked for now."""

    def ask(self, name: LeaseName, limit: float, answered: Answered) -> AskedLease:
        """Ask for a lease, if `is_ready`. `answered` is called later, never before this returns.

        Args:
            name: The name of the lease.
            limit: Seconds for which the lease is asked, and that this worker waits for another one at most.
            answered: Called once with the answer.
        """
