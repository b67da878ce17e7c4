"""A store, as commands open it, and its keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from addon.cli.terminal import fail
from addon.config.settings import Settings
from addon.runtime.exit_codes import FAILED
from cache.rules.key import key_of_uri
from cache.stores.base import ResponseStore
from cache.stores.disk.directory import is_no_store
from cache.stores.disk.store import DiskStore
from cache.stores.memory import MemoryStore


@contextmanager
def open_store(settings: Settings) -> Iterator[ResponseStore]:
    """Open the store of these settings. A directory that is not a store counts as empty, and is not changed."""
    if settings.store.kind == "memory":
        fail("the store is in memory: only a running proxy has it", FAILED)
    directory, max_size = settings.store.directory, settings.store.max_size
    store = MemoryStore(max_size) if is_no_store(directory) else DiskStore(directory, max_size)
    try:
        yield store
    finally:
        store.close()


def place_of(settings: Settings) -> str:
    """Return the directory of the store as text for a message, which says so if there is no such directory."""
    directory = settings.store.directory
    return str(directory) if directory.exists() else f"{directory}, which does not exist"


def key_of(url: str) -> str:
    """Return the cache key of a URL that the user typed; if it is malformed, the command ends as wrong usage."""
    try:
        return key_of_uri(url)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="URL") from None
