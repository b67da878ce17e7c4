"""The condition of a store: whether it works, and if not, why. A change is logged once, not with every request."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from enum import StrEnum

from cache.stores.base import StoreError

logger = logging.getLogger(__name__)

SILENCE = 60.0
"""Seconds after a logged failure of a store that works otherwise; failures in this time are only counted."""


class StoreState(StrEnum):
    """The state of a store, by what it can do."""

    OPEN = "open"
    """It works."""
    FAILING = "failing"
    """Responses can be read from it, but not all can be stored."""
    CLOSED = "closed"
    """There is none: responses are passed on."""


_CONSEQUENCES = {
    StoreState.OPEN: "the store works again",
    StoreState.FAILING: "the store cannot store responses for now",
    StoreState.CLOSED: "no store for now; responses are passed on and not stored, until it can be opened",
}


class StoreCondition:
    """The condition of one store. May be used from any thread."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, clock: Callable[[], float] = time.time) -> None:
        """Begin with a store that works. `clock` returns seconds since the epoch."""
        self.state = StoreState.OPEN
        self.reason = ""
        self.failures = 0
        """Operations on the store that have failed."""
        self.last_problem = ""
        """The latest problem, also after it has gone; empty for none."""
        self.last_problem_at = 0.0
        """Its time, in seconds since the epoch."""
        self._clock = clock
        self._monotonic = monotonic
        self._silent_until = 0.0
        self._observer: Callable[[], None] = lambda: None

    def observe_failures(self, observer: Callable[[], None]) -> None:
        """Call `observer` when an operation on the store has failed."""
        self._observer = observer

    def change(self, state: StoreState, reason: str = "") -> None:
        """Set the condition, and log it if the state is another one."""
        changed, self.state, self.reason = state is not self.state, state, reason
        if state is not StoreState.OPEN:
            self.last_problem, self.last_problem_at = reason, self._clock()
        if changed:
            logger.warning("%s%s", _CONSEQUENCES[state], f": {reason}" if reason else "")

    def note_failure(self, attempt: str, error: StoreError) -> None:
        """Note that an operation failed; `attempt` is what could not be done."""
        self.failures += 1
        self.last_problem, self.last_problem_at = f"cannot {attempt}: {error}", self._clock()
        if self.state is StoreState.OPEN and self._monotonic() >= self._silent_until:
            self._silent_until = self._monotonic() + SILENCE
            logger.warning("store: cannot %s: %s", attempt, error)
        self._observer()

    def described(self) -> dict[str, str]:
        """Return the condition for `stats`."""
        return {"state": self.state.value, **({"reason": self.reason} if self.reason else {})}
