"""The proxy, as its admin listener sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from addon.config.settings import Settings
from addon.runtime.control import Handler


@dataclass(frozen=True, slots=True)
class Administered:
    """A proxy: one process, or a supervisor with its workers."""

    settings: Settings
    commands: Mapping[str, Handler]
    """The control commands."""
    takes_clients: Callable[[], bool]
    """Returns false while the proxy drains, and as long as no process serves clients."""
