"""A store, as commands open it, and its keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from addon.cli.terminal import fail
from addon.config.settings import Settings
from addon.runtime.exit_codes import FAILED
from cache.rules.key import key_of_uri
from cache.stores.base import ResponseStore, StoreError
from cache.stores.disk.directory import is_no_store
from cache.stores.disk.store import DiskStore
from cache.stores.memory import MemoryStore

_PATIENCE = 5.0
"""Seconds that a command waits for the engine of a shared store, where nobody waits for the command."""


@contextmanager
def open_store(settings: Settings) -> Iterator[ResponseStore]:
    """Open the store of these settings. A directory that is not a store counts as empty, and is not changed."""
    if settings.store.kind == "memory":
        fail("the store is in memory: only a running proxy has it", FAILED)
    store = _shared_store(settings) if settings.store.kind == "redis" else _store_on_disk(settings)
    try:
        yield store
    finally:
        store.close()


def _store_on_disk(settings: Settings) -> ResponseStore:
    directory, max_size = settings.store.directory, settings.store.max_size
    return MemoryStore(max_size) if is_no_store(directory) else DiskStore(directory, max_size)


def _shared_store(settings: Settings) -> ResponseStore:
    """Return the shared store, whose engine can be used. Raises StoreError."""
    from addon.pipeline.shared_store import shared_store_options  # it needs an extra
    from cache.stores.redis.store import RedisStore

    patient = settings.store.model_copy(update={"timeout": max(settings.store.timeout, _PATIENCE)})
    store = RedisStore(shared_store_options(patient, 1 << 20, 0))
    if not store.engine.wait(_PATIENCE):
        problem = store.engine.problem
        store.close()
        raise StoreError(f"the engine of the shared store at {settings.store.address} cannot be used: {problem}")
    return store


def place_of(settings: Settings) -> str:
    """Return the directory of the store as text for a message, which says so if there is no such directory."""
    if settings.store.kind == "redis":
        return str(settings.store.address)
    directory = settings.store.directory
    return str(directory) if directory.exists() else f"{directory}, which does not exist"


def key_of(url: str) -> str:
    """Return the cache key of a URL that the user typed; if it is malformed, the command ends as wrong usage."""
    try:
        return key_of_uri(url)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="URL") from None
