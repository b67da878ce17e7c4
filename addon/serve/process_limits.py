"""Limits and tuning of this process: open files, and the collection of garbage."""

from __future__ import annotations

import gc
import resource
import sys
from contextlib import suppress

GC_THRESHOLD = 10_000
"""New objects after which Python collects garbage: more than wait for the store's writer at a time."""


def allow_many_connections() -> None:
    """Raise this process's limit of open files to what the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def max_descriptors() -> int:
    """Return how many files and sockets this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def tune_garbage_collector(*, collect: bool = True) -> None:
    """Leave the objects that exist now, some hundred thousand, out of every garbage collection from now on.

    Args:
        collect: Look for garbage among them before. It takes time, and a proxy for one command does without.
    """
    if collect:
        gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(GC_THRESHOLD, *gc.get_threshold()[1:])
