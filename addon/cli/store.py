"""`secondhand purge`: delete stored responses; and what other commands need of a store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from addon.cli.options import ConfigOption, JsonOption, PrivateOption, StoreOption, load_shared_or_private
from addon.cli.terminal import FAILED, NOT_FOUND, fail, print_json, print_line
from addon.config.settings import Settings
from addon.runtime.control import GUARD_INTERVAL
from addon.runtime.control_client import running_proxies
from cache.rules.key import key_of_uri, keys
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


def key_of(url: str) -> str:
    """Return the cache key of a URL that the user typed; if it is malformed, the command ends as wrong usage."""
    try:
        return key_of_uri(url)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="URL") from None


def purge(
    url: Annotated[str | None, typer.Argument(metavar="URL", help="A URL, with all its variants.")] = None,
    host: Annotated[str | None, typer.Option(metavar="HOST", help="All URLs of a host.", show_default=False)] = None,
    everything: Annotated[bool, typer.Option("--all", help="All URLs.")] = False,
    config: ConfigOption = None,
    store: StoreOption = None,
    private: PrivateOption = False,
    as_json: JsonOption = False,
) -> None:
    """Delete stored responses, in running proxies, too."""
    if [url is not None, host is not None, everything].count(True) != 1:
        raise typer.BadParameter("expected exactly one of a URL, --host HOST and --all")
    settings = load_shared_or_private(config, store, private=private).settings
    arguments: dict[str, object]
    arguments = {"all": True} if everything else {"host": host} if host is not None else {"url": url}
    key = key_of(url) if url is not None else None
    deleted = _purge_in_proxies(settings, arguments)
    if deleted is None:
        with open_store(settings) as opened:
            if key is not None:
                deleted = sum(map(opened.delete, keys(key, settings.policy())))
            else:
                deleted = opened.clear() if host is None else opened.delete_host(host)
                if isinstance(opened, DiskStore):
                    opened.delete_purged()
    if as_json:
        print_json({"deleted": deleted})
    else:
        print_line(f"{deleted} {'copy' if deleted == 1 else 'copies'} deleted")
    if not deleted:
        raise typer.Exit(NOT_FOUND)


def _purge_in_proxies(settings: Settings, arguments: dict[str, object]) -> int | None:
    """Have the running proxies of this store purge. Return how many responses they deleted, or None if none runs."""
    directory = settings.store.directory
    proxies = running_proxies(directory)
    if not proxies and settings.store.kind == "disk" and is_no_store(directory):
        time.sleep(2 * GUARD_INTERVAL)  # a proxy whose directory was removed makes its socket again in this time
        proxies = running_proxies(directory)
    deleted = [proxy.ask("purge", **arguments)["deleted"] for proxy in proxies]
    return sum(count for count in deleted if isinstance(count, int)) if proxies else None
