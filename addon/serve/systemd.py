"""Tells systemd what this service does: sd_notify(3). Under other service managers it does nothing."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable, Mapping

logger = logging.getLogger(__name__)


class ServiceManager:
    """The service manager that has started this process.

    Attributes:
        sign_of_life_interval: Seconds between two signs of life that it gets; 0 if it wants none.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        """Read from the environment where it listens, and how often it wants a sign of life."""
        path = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + path[1:] if path.startswith("@") else path
        watched = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        limit = environ.get("WATCHDOG_USEC", "")
        self.sign_of_life_interval = int(limit) / 2_000_000 if watched and limit.isdecimal() else 0.0

    def ready(self, status: str) -> None:
        """Tell that clients are served, after a start or a reload; `status` is for people."""
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """Tell that settings are being read again; `ready` tells the end of it."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """Tell that the service stops."""
        self._tell("STOPPING=1", "STATUS=waiting for responses under way")

    def replaced_by(self, process_id: int) -> None:
        """Tell that another process is the service from now on."""
        self._tell(f"MAINPID={process_id}")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifier:
                notifier.setblocking(False)
                notifier.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            logger.warning("systemd could not be told %s: %s", lines[0], error)

    async def show_signs_of_life(self, is_alive: Callable[[float], Awaitable[bool]]) -> None:
        """Tell again and again that the service is alive, as long as `is_alive` says so.

        Args:
            is_alive: Gets the seconds in which the answer is needed.
        """
        while interval := self.sign_of_life_interval:
            if await is_alive(interval / 2):
                self._tell("WATCHDOG=1")
            await asyncio.sleep(interval / 2)
