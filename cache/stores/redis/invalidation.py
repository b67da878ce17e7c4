"""Changes of which the engine tells, and what has to be made good after it was away.

An unbroken connection tells of every change, in order with the replies. So what is in memory is as good as the engine's
until the connection ends. After that it counts again only when it has been read again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from itertools import batched

from cache.stores.base import StoreError
from cache.stores.redis.connection import EngineError, Reply, Request
from cache.stores.redis.engine import Ask, Engine, Holds, checked
from cache.stores.redis.keys import KeyNames
from cache.stores.redis.lost_changes import LostChanges
from cache.stores.redis.purge_log import PurgeLog, texts_of
from cache.stores.redis.shared_generations import SharedGenerations

logger = logging.getLogger(__name__)

_AT_ONCE = 500
"""Keys that are removed with one request."""


class Invalidation:
    """Keeps the generation table and the purges of this node up to date. Called on the engine's thread.

    Attributes:
        engine: The engine; set before it can call anything.
        on_state: Called with why the engine cannot be used, or None.
        on_lease: Called with the name of a wait that has begun or ended; None if any may have.
    """

    def __init__(
        self, names: KeyNames, generations: SharedGenerations, purges: PurgeLog, lost_changes: LostChanges
    ) -> None:
        self._names = names
        self._generations = generations
        self._purges = purges
        self._lost_changes = lost_changes
        self.engine: Engine | None = None
        self.on_state: Callable[[str | None], None] = lambda _problem: None
        self.on_lease: Callable[[bytes | None], None] = lambda _name: None
        self._kinds: tuple[tuple[bytes, Callable[[bytes], None]], ...] = (
            (names.rows.encode(), self._row_changed),
            (names.removals.encode(), self._removed),
            (names.purges.encode(), self._purged),
            (names.waits.encode(), lambda name: self.on_lease(name)),
        )

    def changed(self, names: list[bytes] | None) -> None:
        """Take the names of what another node or the engine has changed; None if it can be anything."""
        if names is None:
            self._generations.renew()
            self._purged(b"")
            self.on_lease(None)
            return
        for name in names:
            for beginning, note in self._kinds:
                if name.startswith(beginning):
                    note(name)
                    break

    def _row_changed(self, name: bytes) -> None:
        self._generations.changed(name)

    def _removed(self, name: bytes) -> None:
        self._generations.note_removal()
        self._generations.changed(name)

    def _purged(self, _name: bytes) -> None:
        self._purges.unknown()
        if self.engine is not None:
            self.engine.send(self._names.purges, Request([self._purges.reading()], self._read_purges))

    def _read_purges(self, replies: list[Reply]) -> None:
        try:
            self._purges.read(replies[-1])
        except StoreError as error:  # nothing in memory counts until it can be read
            logger.warning("%s", error)

    async def prepare(self, ask: Ask, holds: Holds, *, is_new: bool) -> None:
        """Make good what a server has missed, before it is used; see `Events`. Raises EngineError."""
        try:
            if holds(self._names.purges):
                await self._catch_up_on_purges(ask)
            await self._remove_again(ask, holds, is_new=is_new)
        except EngineError:
            raise
        except StoreError as error:
            raise EngineError(str(error)) from error
        if is_new:  # last: what was read meanwhile is read again
            self._generations.renew()

    async def _catch_up_on_purges(self, ask: Ask) -> None:
        lost = self._purges.read((await ask([self._purges.reading_all()]))[0])
        scopes = self._lost_changes.scopes()
        if lost or scopes:
            if lost:
                logger.warning("the engine has lost %d purges: they are made again", len(lost))
            replies = await ask([self._purges.adding([*lost, *texts_of(scopes)])])
            checked(replies)
            self._purges.read((await ask([self._purges.reading()]))[0])
            self._lost_changes.forget({}, scopes)

    async def _remove_again(self, ask: Ask, holds: Holds, *, is_new: bool) -> None:
        for some in batched(self._lost_changes.keys(holds, is_new=is_new).items(), _AT_ONCE):
            self._removed_again(dict(some), await ask(self._lost_changes.commands(dict(some))))

    def _removed_again(self, keys: Mapping[str, int], replies: list[Reply]) -> None:
        # the signal may be refused by an engine that is full; the removal itself, which is the first command, never is
        checked(replies[:: len(replies) // len(keys)])
        self._lost_changes.forget(keys)

    def opened(self, send: Callable[[Request], None], holds: Holds) -> None:
        """Make good what this node has done without a server since `prepare` began; see `Events`."""
        kept = self._lost_changes.take_kept(holds)
        if kept is None:
            self._generations.renew()
        for key in kept or ():
            self._generations.own_change(key)
        for some in batched(self._lost_changes.keys(holds, is_new=False).items(), _AT_ONCE):
            keys = dict(some)
            send(Request(self._lost_changes.commands(keys), partial(self._removed_late, keys)))

    def _removed_late(self, keys: Mapping[str, int], replies: list[Reply]) -> None:
        try:
            self._removed_again(keys, replies)
        except StoreError as error:  # they are still remembered
            logger.warning("what was removed while the engine was away is not removed there yet: %s", error)

    def state_changed(self, problem: str | None) -> None:
        """Pass on why the engine, or a server of it, cannot be used now."""
        self.on_state(problem)
