"""What is in the store: `ls`, `purge`, `stats`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Annotated

import typer

from addon.cli.options import ConfigOption, JsonOption, PrivateOption, StoreOption, configuration_of
from addon.cli.terminal import FAILED, NOT_FOUND, fail, note, say, say_json, say_table
from addon.config.settings import Settings
from addon.config.units import size_text, time_text
from addon.runtime.control import ControlError, running_proxies
from cache.policy.cache_policy import CachePolicy
from cache.rules.freshness import current_age, freshness_lifetime, is_fresh
from cache.rules.key import key_of_uri, keys
from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore
from cache.stores.disk.directory import is_no_store
from cache.stores.disk.store import DiskStore
from cache.stores.memory import MemoryStore


@contextmanager
def opened(settings: Settings) -> Iterator[ResponseStore]:
    """Open the store of these settings; a directory that is none, or none yet, is empty and stays as it is."""
    if settings.store.kind == "memory":
        fail("the store is in memory: only a running proxy has it", FAILED)
    directory, max_size = settings.store.directory, settings.store.max_size
    store = MemoryStore(max_size) if is_no_store(directory) else DiskStore(directory, max_size)
    try:
        yield store
    finally:
        store.close()


def state(entry: StoredResponse, policy: CachePolicy, now: float) -> str:
    """Return `fresh`, `stale`, or `invalid` for an entry that needs validation whatever its age."""
    if entry.invalid:
        return "invalid"
    return "fresh" if is_fresh(entry, policy, now) else "stale"


def key_of(url: str) -> str:
    """Return the cache key of a URL that a person typed; anything else ends the command as wrong usage."""
    try:
        return key_of_uri(url)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="URL") from None


def list_copies(
    pattern: Annotated[
        str | None, typer.Argument(metavar="PATTERN", help="Part of a URL, or a pattern with * and ? for all of it.")
    ] = None,
    config: ConfigOption = None,
    store: StoreOption = None,
    private: PrivateOption = False,
    as_json: JsonOption = False,
) -> None:
    """List the stored responses, by URL."""
    settings = configuration_of(config, store, private=private).settings
    policy, now = settings.policy(), time.time()
    with opened(settings) as copies:
        found = [entry for entry in copies.entries() if _matches(entry.key, pattern)]
    if as_json:
        say_json([_described(entry, policy, now) for entry in found])
        return
    rows = [
        (
            str(entry.head.status),
            entry.method,
            time_text(current_age(entry, policy, now)),
            size_text(entry.length),
            state(entry, policy, now),
            entry.key,
        )
        for entry in found
    ]
    if rows:
        say_table(["STATUS", "METHOD", ">AGE", ">SIZE", "STATE", "URL"], rows)
    else:
        note(f"nothing is stored in {settings.store.directory}" + (f" for {pattern}" if pattern else ""))


def _matches(uri: str, pattern: str | None) -> bool:
    return pattern is None or pattern.lower() in uri.lower() or fnmatchcase(uri.lower(), pattern.lower())


def _described(entry: StoredResponse, policy: CachePolicy, now: float) -> dict[str, object]:
    return {
        "url": entry.key,
        "method": entry.method,
        "status": entry.head.status,
        "age": int(current_age(entry, policy, now)),
        "lifetime": freshness_lifetime(entry, policy).seconds,
        "state": state(entry, policy, now),
        "size": entry.length,
        "stored_at": entry.stored_at,
        "sha256": entry.sha256,
    }


def purge(
    url: Annotated[str | None, typer.Argument(metavar="URL", help="One URL, all its variants.")] = None,
    host: Annotated[str | None, typer.Option(metavar="HOST", help="Everything of a host.", show_default=False)] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything.")] = False,
    config: ConfigOption = None,
    store: StoreOption = None,
    private: PrivateOption = False,
    as_json: JsonOption = False,
) -> None:
    """Delete copies, also those that running proxies hold."""
    if [url is not None, host is not None, everything].count(True) != 1:
        raise typer.BadParameter("expected exactly one of a URL, --host HOST and --all")
    settings = configuration_of(config, store, private=private).settings
    what: dict[str, object] = {"all": True} if everything else {"host": host} if host is not None else {"url": url}
    key = key_of(url) if url is not None else None
    deleted = _purged_by_proxies(settings, what)
    if deleted is None:
        with opened(settings) as copies:
            if key is not None:
                deleted = sum(map(copies.delete, keys(key, settings.policy())))
            else:
                deleted = copies.clear() if host is None else copies.delete_host(host)
    if as_json:
        say_json({"deleted": deleted})
    else:
        say(f"{deleted} {'copy' if deleted == 1 else 'copies'} deleted")
    if not deleted:
        raise typer.Exit(NOT_FOUND)


def _purged_by_proxies(settings: Settings, what: dict[str, object]) -> int | None:
    """Return how many copies the running proxies of this store deleted, or None if none runs."""
    proxies = running_proxies(settings.store.directory)
    deleted = [proxy.ask("purge", **what)["deleted"] for proxy in proxies]
    return sum(count for count in deleted if isinstance(count, int)) if proxies else None


def stats(
    config: ConfigOption = None, store: StoreOption = None, private: PrivateOption = False, as_json: JsonOption = False
) -> None:
    """Say what the store holds and what running proxies counted."""
    settings = configuration_of(config, store, private=private).settings
    directory = settings.store.directory
    held: dict[str, object] = {"kind": settings.store.kind, "path": str(directory)}
    if settings.store.kind == "disk":
        with opened(settings) as copies:
            numbers = copies.statistics()
        held |= {"entries": numbers.entries, "size": numbers.size, "max_size": numbers.max_size}
    counted = []
    for proxy in running_proxies(directory):
        try:
            counted.append({"socket": str(proxy.path), "counters": proxy.ask("stats")})
        except ControlError as error:  # the others are still worth telling
            note(str(error))
    if as_json:
        say_json({"store": held, "proxies": counted})
        return
    sizes = {"size", "max_size"}
    _say_numbers("store", {name: size_text(int(str(n))) if name in sizes else n for name, n in held.items()})
    for number, proxy_counts in enumerate(counted, start=1):
        say("")
        _say_numbers(f"running proxy {number}", proxy_counts["counters"])
    if not counted:
        note("no proxy is running on this store")


def _say_numbers(title: str, numbers: object) -> None:
    rows = [(name, str(number)) for name, number in numbers.items()] if isinstance(numbers, dict) else []
    say_table([title.upper(), ""], rows)
