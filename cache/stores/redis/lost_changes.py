"""Removals that the engine does not know of, or may forget: they are made again before it is used again.

While the engine cannot be used, what an unsafe request makes invalid is deleted in this node's memory only. And a
replica that takes the place of its primary may lack the last seconds.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
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
"""Milliseconds that the name lives by which other nodes are told of a removal."""


class LostChanges:
    """The keys under which something was removed. May be used from any thread."""

    def __init__(self, names: KeyNames, now: Callable[[], float] = monotonic) -> None:
        self._names = names
        self._now = now
        self._lock = Lock()
        self._lost: dict[str, None] = {}
        self._recent: OrderedDict[str, float] = OrderedDict()
        self._too_many = False

    def note_lost(self, key: str) -> None:
        """Remember a removal that the engine does not know of, or may not know of."""
        with self._lock:
            if len(self._lost) >= MAX_KEYS and key not in self._lost:
                self._too_many = True
            else:
                self._lost[key] = None

    def note_made(self, key: str) -> None:
        """Remember for some seconds a removal that the engine has carried out."""
        with self._lock:
            now = self._now()
            self._recent[key] = now
            self._recent.move_to_end(key)
            while self._recent and (len(self._recent) > MAX_KEYS or next(iter(self._recent.values())) < now - REPEATED):
                self._recent.popitem(last=False)

    def keys(self, holds: Callable[[str], bool], *, is_new: bool) -> list[str]:
        """Return the keys to remove again on a server.

        Args:
            holds: Returns whether the server has a name.
            is_new: The connection is a new one, so that the server may be another one.
        """
        with self._lock:
            after = self._now() - REPEATED
            recent = [key for key, since in self._recent.items() if since >= after] if is_new else []
            return [key for key in dict.fromkeys((*self._lost, *recent)) if holds(self._names.row(key))]

    def scopes(self) -> list[Scope]:
        """Return the scopes to purge, since too many removals were lost to remember them."""
        return [Scope(ALL)] if self._too_many else []

    def commands(self, keys: Sequence[str]) -> list[Command]:
        """Return the commands that remove all that is stored under keys."""
        return [command for key in keys for command in removal(self._names, key)]

    def forget(self, keys: Sequence[str], scopes: Sequence[Scope]) -> None:
        """Note that the engine knows of these removals."""
        with self._lock:
            for key in keys:
                self._lost.pop(key, None)
            if scopes:
                self._too_many = False


def removal(names: KeyNames, key: str) -> list[Command]:
    """Return the commands that remove all that is stored under a key, and tell all nodes so."""
    return [("UNLINK", names.row(key)), signal(names, key)]


def signal(names: KeyNames, key: str) -> Command:
    """Return the command that tells all nodes of a removal under a key: one may be about to store what is older."""
    return ("SET", names.removal(key), 1, "PX", SIGNAL_LIFE)
