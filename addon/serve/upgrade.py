"""The upgrade to a new version of the program: it starts on the same sockets, and this one ends once it is ready."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys

from addon.serve.inherited_sockets import UPGRADE
from addon.serve.launch import Launch

logger = logging.getLogger(__name__)

TIMEOUT = 60.0
"""Seconds in which the new program must be ready. After that it is killed."""


class UpgradeFailed(Exception):
    """The new program does not serve clients. The text says why."""


async def upgrade(launch: Launch) -> bool:
    """Start the program anew. Return whether it is ready, so that this one may end; else the log says what is wrong."""
    logger.warning("upgrade: the program is started anew on the same sockets")
    try:
        process_id = await _start_new_program(launch)
    except UpgradeFailed as error:
        logger.error("upgrade: the new program does not serve: %s; this one goes on", error)
        return False
    launch.manager.replaced_by(process_id)
    logger.warning("upgrade: process %d serves from now on; this one ends when no connection is left", process_id)
    return True


async def _start_new_program(launch: Launch) -> int:
    """Start the program anew, with the same arguments, on the same sockets. Return its process id once it is ready.

    Raises:
        UpgradeFailed: it ended before, or was not ready in time. Its own messages say more.
    """
    if os.getpid() == 1:
        raise UpgradeFailed("this is the first process of a container, which would end with it; start a new container")
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours:
        try:
            process = _spawn(launch, theirs)
        except OSError as error:
            raise UpgradeFailed(f"{error.filename}: {error.strerror}") from None
        finally:
            theirs.close()
        try:
            async with asyncio.timeout(TIMEOUT):
                told = await asyncio.get_running_loop().sock_recv(ours, 16)
        except (TimeoutError, asyncio.CancelledError) as error:
            process.kill()
            process.wait()
            if isinstance(error, asyncio.CancelledError):  # this program is to stop, and so no other is to serve
                raise
            raise UpgradeFailed(f"it was not ready after {TIMEOUT:g} seconds") from None
    if not told:
        raise UpgradeFailed(f"it ended with exit code {process.wait()}")
    process.returncode = 0  # it is not this process's to wait for any more
    return process.pid


def _spawn(launch: Launch, ready: socket.socket) -> subprocess.Popen[bytes]:
    """Start the program. Raises OSError."""
    clients, admin = ([each.fileno() for each in sockets] for sockets in (launch.sockets, launch.admin))
    kept = "kept" if launch.inherited.are_kept else ""
    passed = [" ".join(map(str, clients)), str(ready.fileno()), kept, " ".join(map(str, admin))]
    environment = os.environ | {UPGRADE: ";".join(passed)}
    environment.pop("WATCHDOG_PID", None)  # systemd expects the sign of life of another process from now on
    command = [sys.executable, *sys.orig_argv[1:]]
    descriptors = [*clients, *admin, ready.fileno()]
    return subprocess.Popen(command, env=environment, pass_fds=descriptors, stdin=subprocess.DEVNULL)  # noqa: S603 - as started
