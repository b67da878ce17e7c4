"""Purges: a stored response that is older than the last purge of one of its tags counts as absent.

A purge is one small record, a number for a tag. It is true at once, and the responses are deleted later, a few at a
time. Purges are numbered, not timed: the clock may be set back. Every stored response belongs to its host's tag and to
`ALL`. The tags could also name cache tags or URL prefixes: a response may have any number of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from cache.http.messages import normalised_host

ALL = "all"
"""The tag of every stored response."""

REMEMBERED = 4096
"""Purges that are remembered after their deletions are done. What is in memory from before them is not used."""


def host_tag(host: str) -> str:
    """Return the tag of a host, given in any letter case, with or without brackets or a final dot."""
    return f"host:{normalised_host(host).strip('[]')}"


def tags_of(key: str) -> tuple[str, ...]:
    """Return the tags of the stored responses under a primary key."""
    return _tags_of_authority(key.partition("://")[2].partition("/")[0])


@lru_cache(maxsize=4096)
def _tags_of_authority(authority: str) -> tuple[str, ...]:
    return ALL, host_tag(authority.partition("]")[0] if authority[:1] == "[" else authority.partition(":")[0])


def key_ranges(tag: str) -> tuple[tuple[str, str], ...]:
    """Return the ranges (first key, key after the last) of the primary keys that have a tag, in the order of text."""
    if tag == ALL:
        return (("", "\U0010ffff"),)
    host = tag.removeprefix("host:")
    name = f"[{host}]" if ":" in host else host
    # behind the name comes "/" or ":", and the next characters after these are "0" and ";"
    return tuple(
        (f"{scheme}://{name}{first}", f"{scheme}://{name}{next_one}")
        for scheme in ("http", "https")
        for first, next_one in (("/", "0"), (":", ";"))
    )


class KnownPurges:
    """The purges of one store that this process knows. This class alone fits a store that has none."""

    def __init__(self) -> None:
        self._number = 0
        self._latest: dict[str, int] = {}

    def number(self) -> int | None:
        """Return the number of the last purge, or None if finding out needs waiting. Read it before the data."""
        return self._number

    def is_purged(self, tags: Iterable[str], number: int) -> bool:
        """Return whether a purge after that number covers what has one of these tags."""
        latest = self._latest
        return any(latest.get(tag, 0) > number for tag in tags)

    def covers(self, key: str, number: int) -> bool:
        """Return whether a purge after that number covers what is stored under a key."""
        return number < self._number and self.is_purged(tags_of(key), number)  # most rows are newer than all purges

    def is_outdated(self, tags: Iterable[str], number: int) -> bool:
        """Return whether what this process has held in memory since that number must not be used any more."""
        return number < self._number - REMEMBERED or self.is_purged(tags, number)

    def learn(self, purges: Iterable[tuple[str, int]], number: int) -> None:
        """Add purges, each a tag and its number; `number` is that of the last one."""
        for tag, each in purges:
            self._latest[tag] = max(each, self._latest.get(tag, 0))
        self._number = max(number, self._number)
