"""The start of this process: the sockets that it got, and the service manager that watches it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from addon.config.load import Configuration
from addon.config.settings import Settings
from addon.serve.inherited_sockets import InheritedSockets
from addon.serve.systemd import ServiceManager


@dataclass(frozen=True, slots=True)
class Launch:
    """The start of one proxy."""

    settings: Settings
    load: Callable[[], Configuration]
    """Reads the settings again. Raises ConfigError."""
    sockets: Sequence[socket.socket]
    """Bound sockets for clients."""
    admin: Sequence[socket.socket] = ()
    """Bound sockets of the admin listener."""
    lasting: bool = True
    """The proxy outlives a single command, so that people may switch its mode."""
    inherited: InheritedSockets = field(default_factory=InheritedSockets)
    manager: ServiceManager = field(default_factory=ServiceManager)

    def serves(self) -> None:
        """Tell those who wait for it that clients are served."""
        self.tell_ready()
        self.inherited.tell_ready()  # after which the older program tells which process is the main one

    def tell_ready(self) -> None:
        """Tell the service manager that clients are served."""
        self.manager.ready(f"serves clients on {self.settings.listen}")
