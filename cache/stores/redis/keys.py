"""The names under which the shared store keeps things in the engine.

All that belongs to one primary key has the same hash tag, so that a Cluster keeps it on one server and one script can
change it. The names of rows, purges and leases begin differently from those of chunks: servers tell every node of
changes by the beginning of a name, and nobody needs to hear of chunks.
"""

from __future__ import annotations

from binascii import crc_hqx
from functools import lru_cache
from hashlib import blake2b

VERSION = 1
"""Version of all that is written. Proxies of another version use other names, and share nothing."""

SLOTS = 16_384
"""Slots of a Cluster."""


class KeyNames:
    """The names of one store. Several stores in one engine have different prefixes."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix = f"{prefix}{VERSION}:"
        self.rows = f"{prefix}r:"
        """The beginning of the names of all rows."""
        self.waits = f"{prefix}w:"
        """The beginning of the names that exist while somebody waits for a lease."""
        self.removals = f"{prefix}x:"
        """The beginning of the names that tell other nodes of a removal, also where nothing was stored."""
        self.purges = f"{prefix}p:{{purges}}"
        """The log of purges."""
        self.watched = (self.rows, self.waits, self.removals, self.purges)
        """The beginnings of the names of whose changes each node is told."""

    def row(self, key: str) -> str:
        """Return the name of the row of a primary key."""
        return f"{self.rows}{{{_digest(key)}}}"

    def draft(self, key: str) -> str:
        """Return the name of a row that is about to become that of a primary key."""
        return f"{self._prefix}d:{{{_digest(key)}}}"

    def removal(self, key: str) -> str:
        """Return the name that is written when something of a primary key is removed."""
        return f"{self.removals}{{{_digest(key)}}}"

    def chunks(self, key: str, entry_id: str, count: int) -> list[str]:
        """Return the names of the chunks of a body, in order."""
        tag = f"{self._prefix}b:{{{_digest(key)}}}:{entry_id}:"
        return [f"{tag}{number}" for number in range(count)]

    def lease(self, key: str, name: bytes) -> str:
        """Return the name of a lease, which is on the server of a primary key: it tells of both in order."""
        return f"{self._prefix}l:{{{_digest(key)}}}:{name.hex()}"

    def wait(self, lease: str) -> str:
        """Return the name that exists while somebody waits for a lease, whose end is told by the end of that name."""
        return f"{self.waits}{lease.removeprefix(f'{self._prefix}l:')}"


def slot_of(name: str) -> int:
    """Return the slot of a Cluster in which a name is, by its hash tag."""
    tag = name.partition("{")[2].partition("}")[0] or name
    return crc_hqx(tag.encode(), 0) % SLOTS


def number_of(key: str) -> int:
    """Return a number for a primary key, the same as `number_in` its names."""
    return int(_digest(key)[:8], 16)


def number_in(name: bytes) -> int:
    """Return the number of the primary key to which a name belongs. Raises ValueError if it is none of these names."""
    return int(name.partition(b"{")[2][:8], 16)


@lru_cache(maxsize=4096)
def _digest(key: str) -> str:
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
