"""The control command `status`: what a running proxy tells about itself. Each part of it adds its own section."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

type Description = Callable[[], object]
"""Returns what a section has to tell at the moment, as JSON has it: a text, a number, a list, or a table by names."""


class Status:
    """The sections. Those of the proxy are the same in all its workers; those of a worker differ between them."""

    def __init__(self) -> None:
        self._of_proxy: dict[str, Description] = {}
        started = time.time()
        self._of_worker: dict[str, Description] = {
            "pid": os.getpid,
            "since": lambda: started,
            "cpu_seconds": time.process_time,
        }

    def add(self, section: str, describe: Description) -> None:
        """Add a section that is the same in all workers."""
        self._of_proxy[section] = describe

    def add_for_worker(self, section: str, describe: Description) -> None:
        """Add a section that each worker has for itself."""
        self._of_worker[section] = describe

    async def handle(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        """Handle the control command `status`: return the sections of the proxy, and in `workers` those of each."""
        of_worker = {name: describe() for name, describe in self._of_worker.items()}
        return {name: describe() for name, describe in self._of_proxy.items()} | {"workers": [of_worker]}
