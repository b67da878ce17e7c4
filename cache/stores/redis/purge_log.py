"""The log of purges in the engine, as far as this node has read it.

The log is one sorted set: the texts of scopes, each with the number of its last purge, and `begin`. Numbers are
milliseconds on the engine's clock, or one more than the last number if that is later, so that a log that was lost
never repeats a number. A row has the number of the last purge that its writer knew. What a later purge covers counts as
absent. So does a row from before the beginning of the log: what was purged since then is not known any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cache.stores.base import StoreError
from cache.stores.purge_scopes import Scope, scope_of
from cache.stores.purges import KnownPurges
from cache.stores.redis.connection import Command, Reply
from cache.stores.redis.engine import checked
from cache.stores.redis.scripts import ADD_PURGES, OPEN_PURGES
from cache.stores.redis.shared_generations import SharedGenerations

KEPT = 50_000
"""Scopes in the log. When there are more, what was stored before the oldest of them counts as absent."""
BEGIN = "begin"
"""The member of the set with the number at which it begins."""


class LoggedPurges(KnownPurges):
    """Purges that are numbered as those in the log are."""

    def __init__(self) -> None:
        super().__init__()
        self._begin = 0

    def has_forgotten(self, number: int) -> bool:
        """Return whether not all purges after that number are remembered."""
        return number < self._begin or number < self._forgotten

    def learn_log(self, log: Mapping[str, int], begin: int) -> None:
        """Learn the numbers of scopes, by their texts, in a log that begins at a number."""
        self._begin = begin
        self.learn(log.items(), max([*log.values(), begin]))
        self._pending = self._conditions


class PurgeLog(LoggedPurges):
    """The purges that this node knows. Changed on the engine's thread only."""

    def __init__(self, name: str, lifetime: float, generations: SharedGenerations) -> None:
        """Use the log of that name. Nothing is stored for longer than `lifetime`, in seconds."""
        super().__init__()
        self._name = name
        self._lifetime = int(lifetime * 1000)
        self._generations = generations
        self._scopes: dict[str, int] = {}
        """The log, by the texts of scopes."""
        self._is_known = True

    def number(self) -> int | None:
        """Return the number of the last purge, or None while it is being asked for. Never waits."""
        return self._number if self._is_known else None

    def is_readable(self, number: int) -> bool:
        """Return whether a row of that number can be judged: it is neither from a lost log nor from a later one."""
        return not self.has_forgotten(number) and number <= self._number

    def copied(self) -> LoggedPurges:
        """Return the purges as they are now."""
        copied = LoggedPurges()
        copied.learn_log(dict(self._scopes), self._begin)
        return copied

    # ---- commands, and what follows from their replies

    def reading(self) -> Command:
        """Return the command that reads what is new; all of it if too much is known."""
        return OPEN_PURGES.call([self._name], [self._number, 0 if self.knows_too_many else self._number + 1])

    def reading_all(self) -> Command:
        """Return the command that reads the whole log."""
        return OPEN_PURGES.call([self._name], [self._number, 0])

    def adding(self, texts: Iterable[str]) -> Command:
        """Return the command that adds purges, by the texts of their scopes."""
        return ADD_PURGES.call([self._name], [self._number, KEPT, self._lifetime, *texts])

    def unknown(self) -> None:
        """Note that there are purges which were not read yet."""
        self._is_known = False
        self._generations.end_change(())

    def read(self, reply: Reply) -> list[str]:
        """Learn what was read. Return the texts of scopes that the engine does not know any more.

        Raises:
            StoreError: it is no log.
        """
        log = _log_in(reply)
        begin = log.pop(BEGIN, None)
        lost: list[str] = []
        if begin is not None:  # all of it was read
            if begin <= self._number:  # else the log is a new one, and so is everything that counts
                # of what an older purge covers, nothing is left
                matters = max(begin, self._number - self._lifetime)
                lost = [text for text, number in self._scopes.items() if number > log.get(text, matters)]
            self._begin = begin
            self.forget_old(max(log.values(), default=0), log.items())
            self._scopes = dict(log)
        self._scopes |= log
        self._forget_in_memory([text for text, number in log.items() if number > self._number])
        self.learn_log(log, self._begin)
        self._is_known = True
        self._generations.note_purge()
        return lost

    def read_last(self, replies: list[Reply]) -> None:
        """Learn what the last of some replies says, unless that is an error. Raises StoreError as `read` does."""
        if isinstance(replies[-1], list):
            self.read(replies[-1])

    def _forget_in_memory(self, texts: Iterable[str]) -> None:
        """Let nothing count that is in memory of the URLs among scopes: it does not know its own name."""
        slots = [self._generations.slot(key) for text in texts if (key := scope_of(text).key) is not None]
        self._generations.end_change(slots)

    @property
    def knows_too_many(self) -> bool:
        """True if so many names are known that those which do not matter any more should be forgotten."""
        return len(self._scopes) > 2 * KEPT


def texts_of(scopes: Iterable[Scope]) -> list[str]:
    """Return the texts of scopes."""
    return [scope.text for scope in scopes]


def _log_in(reply: Reply) -> dict[str, int]:
    """Return the log in a reply to OPEN_PURGES: members and scores in turn, or in pairs."""
    [found] = checked([reply])
    if not isinstance(found, list):
        raise StoreError("the log of purges in the engine is damaged")
    flat = [part for each in found for part in (each if isinstance(each, list) else [each])]
    try:
        return {_text(text): int(float(_text(number))) for text, number in zip(flat[::2], flat[1::2], strict=True)}
    except ValueError as error:
        raise StoreError("the log of purges in the engine is damaged") from error


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
