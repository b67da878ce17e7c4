"""The operator's signals. They are caught before anything slow begins, and acted on once the proxy runs."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping
from types import FrameType

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)

CAUGHT = (*STOPPING, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


class OperatorSignals:
    """Notes signals until there are handlers for them, so that no signal kills a proxy that starts."""

    def __init__(self) -> None:
        self._noted: list[int] = []

    def catch(self) -> None:
        """Note signals from now on. A second one to stop ends a start that takes too long."""
        for number in CAUGHT:
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number in STOPPING and any(noted in STOPPING for noted in self._noted):
            raise SystemExit(0)  # nothing is stored yet that could be lost
        self._noted.append(number)

    def handle(self, handlers: Mapping[int, Callable[[], None]]) -> None:
        """Call a handler for each signal in the running event loop, and for each one that was noted."""
        loop = asyncio.get_running_loop()
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        noted, self._noted = self._noted, []
        for number in noted:
            handlers[number]()


operator_signals = OperatorSignals()
"""The signals of this process. Signal handlers belong to the whole process, so there is one object."""
