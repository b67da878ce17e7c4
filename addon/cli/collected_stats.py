"""The state of a store and of the proxies that run on it, collected for commands that print or draw it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from addon.cli.store import open_store
from addon.cli.terminal import print_note
from addon.config.settings import Settings
from addon.runtime.control_client import ControlClient, ControlError, number_in, running_proxies, table_in
from cache.stores.base import StoreError


def store_contents(settings: Settings, proxies: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Return what the store contains, and the lowest of the limits of its proxies: that one makes room first.

    `proxies` are what `proxies_of` returns.

    The limit is None if it is not known here.
    """
    found: dict[str, object] = {"kind": settings.store.kind, "path": str(settings.store.directory)}
    if settings.store.kind == "redis":
        found["url"] = str(settings.store.address)
    if settings.store.kind == "memory":
        return found
    try:
        with open_store(settings) as opened:
            contents = opened.statistics()
    except StoreError as error:  # the running proxies are still listed
        return found | {"problem": str(error)}
    limits = [number_in(proxy["max_size"]) for proxy in proxies if proxy.get("max_size")]
    return found | {
        "entries": contents.entries,
        "size": contents.size,
        "max_size": None if contents.max_size is None else min(limits, default=contents.max_size),
    }


def proxies_of(settings: Settings) -> Iterator[dict[str, object]]:
    """Iterate over what each running proxy tells of itself. A note is printed for one that cannot be asked."""
    for client in running_proxies(settings.store.directory):
        try:
            condition, counters = client.ask("store"), client.ask("stats")
        except ControlError as error:  # the other proxies are still listed
            print_note(str(error))
            continue
        yield {
            "socket": str(client.path),
            "store": condition,
            "counters": counters,
            **_summary(client),
            "distrusted": _distrusted(client),
        }


def _summary(client: ControlClient) -> dict[str, object]:
    try:
        return client.ask("summary")
    except ControlError:  # an older version of the program is running
        return {"since": None, "hosts": {}, "contents": None, "max_size": None}


def _distrusted(client: ControlClient) -> dict[str, object]:
    """Return how many connections ended because a client did not accept the certificate, by host."""
    try:
        return table_in(client.ask("failed-hosts")["distrusted"])
    except ControlError:  # an older version of the program is running
        return {}
