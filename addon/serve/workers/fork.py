"""Starts a process that shares this one's memory, and is connected to it by a socket."""

from __future__ import annotations

import gc
import logging
import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from addon.runtime.exit_codes import FAILED

logger = logging.getLogger(__name__)

STANDARD_STREAMS = 3
"""Input, output and errors have the descriptors 0, 1 and 2."""


def fork(work: Callable[[socket.socket], int], shared: Sequence[socket.socket]) -> tuple[int, socket.socket]:
    """Start a process that does `work` and ends with the exit code that this returns.

    Only a process without threads may do so: a lock that another thread holds would stay held in the new process.

    Args:
        work: Gets the new process's end of the connection between the two.
        shared: Sockets that the new process uses as well. It closes everything else that this one has open.

    Returns:
        The id of the new process, and this end of the connection.
    """
    ours, theirs = socket.socketpair()
    sys.stdout.flush()
    process_id = os.fork()
    if not process_id:
        _work(work, theirs, shared)
    theirs.close()
    ours.setblocking(False)
    return process_id, ours


def _work(work: Callable[[socket.socket], int], connection: socket.socket, shared: Sequence[socket.socket]) -> NoReturn:
    code = FAILED
    try:
        # the objects of the supervisor must never be collected here: some would close descriptors that are used anew
        gc.freeze()
        _close_all_but({connection.fileno(), *(each.fileno() for each in shared)})
        connection.setblocking(False)
        code = work(connection)
    except Exception:  # whatever it is, this copy of the supervisor must go no further
        logger.exception("a worker failed")
    finally:
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)  # the supervisor's cleanup is not this process's business


def _close_all_but(kept: set[int]) -> None:
    low = STANDARD_STREAMS
    for descriptor in sorted(kept):
        os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX"))
