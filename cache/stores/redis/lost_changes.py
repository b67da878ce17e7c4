"""Changes that the engine does not know of, or may forget: they are made good when it is used again.

While the engine cannot be used, what an unsafe request makes invalid is deleted in this node's memory only. And a
replica that takes the place of its primary may lack the last seconds. What was stored in memory only counts until the
engine is used again: it has something else, or nothing, under these keys.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock
from time import monotonic

from cache.stores.purge_scopes import ALL, Scope
from cache.stores.redis.connection import Command
from cache.stores.redis.keys import KeyNames

MAX_KEYS = 10_000
"""Keys that are remembered. If more are lost, everything is purged."""
REPEATED = 10.0
"""Seconds in which a removal that the engine has carried out is made again after a new connection."""
SIGNAL_LIFE = 60_000
"""Milliseconds that the name lives by which other nodes are told of a removal, if its deletion is lost."""


class LostChanges:
    """The keys under which something was removed, or stored in memory only. May be used from any thread."""

    def __init__(self, names: KeyNames, now: Callable[[], float] = monotonic) -> None:
        self._names = names
        self._now = now
        self._lock = Lock()
        self._wanted: dict[str, int] = {}
        """The number of removals under a key of which the engine may not know."""
        self._kept: dict[str, None] = {}
        self._recent: OrderedDict[str, float] = OrderedDict()
        self._too_many = False

    def note_wanted(self, key: str) -> None:
        """Remember a removal, before the engine is told of it, until `note_made` or `forget`."""
        with self._lock:
            if len(self._wanted) >= MAX_KEYS and key not in self._wanted:
                self._too_many = True
            else:
                self._wanted[key] = self._wanted.get(key, 0) + 1

    def note_made(self, key: str) -> None:
        """Note that the engine has carried out one removal. It is remembered for some seconds more."""
        with self._lock:
            self._subtract(key, 1)
            now = self._now()
            self._recent[key] = now
            self._recent.move_to_end(key)
            while self._recent and (len(self._recent) > MAX_KEYS or next(iter(self._recent.values())) < now - REPEATED):
                self._recent.popitem(last=False)

    def note_kept(self, key: str) -> None:
        """Remember that something was stored or updated in memory only."""
        with self._lock:
            if len(self._kept) <= MAX_KEYS:  # one more shows that there were too many
                self._kept[key] = None

    def take_kept(self, holds: Callable[[str], bool]) -> list[str] | None:
        """Return the keys on a server under which memory alone has changed, once; None if there are too many."""
        with self._lock:
            if len(self._kept) > MAX_KEYS:
                self._kept.clear()
                return None
            keys = [key for key in self._kept if holds(self._names.row(key))]
            for key in keys:
                del self._kept[key]
            return keys

    def keys(self, holds: Callable[[str], bool], *, is_new: bool) -> dict[str, int]:
        """Return the keys to remove again on a server, and how many removals under them that makes good.

        Args:
            holds: Returns whether the server has a name.
            is_new: The connection is a new one, so that the server may be another one.
        """
        with self._lock:
            after = self._now() - REPEATED
            recent = [key for key, since in self._recent.items() if since >= after] if is_new else []
            return {key: self._wanted.get(key, 0) for key in (*self._wanted, *recent) if holds(self._names.row(key))}

    def scopes(self) -> list[Scope]:
        """Return the scopes to purge, since too many removals were lost to remember them."""
        return [Scope(ALL)] if self._too_many else []

    def commands(self, keys: Iterable[str]) -> list[Command]:
        """Return the commands that remove all that is stored under keys."""
        return [command for key in keys for command in removal(self._names, key)]

    def forget(self, keys: Mapping[str, int], scopes: Sequence[Scope] = ()) -> None:
        """Note that the engine knows of so many removals under each key, and of these purges."""
        with self._lock:
            for key, count in keys.items():
                self._subtract(key, count)
            if scopes:
                self._too_many = False

    def _subtract(self, key: str, count: int) -> None:
        left = self._wanted.get(key, 0) - count
        if left > 0:
            self._wanted[key] = left
        else:
            self._wanted.pop(key, None)


def removal(names: KeyNames, key: str) -> list[Command]:
    """Return the commands that remove all that is stored under a key, the first one, and tell all nodes so."""
    return [("UNLINK", names.row(key)), *signal(names, key)]


def signal(names: KeyNames, key: str) -> list[Command]:
    """Return the commands that tell all nodes of a removal under a key: one may be about to store what is older."""
    # deleted at once, and told together with its creation: if it ended later, that would look like another removal
    return [("SET", names.removal(key), 1, "PX", SIGNAL_LIFE), ("UNLINK", names.removal(key))]
