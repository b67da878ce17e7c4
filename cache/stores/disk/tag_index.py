"""The index of cache tags: which bodies have a tag, so that the copies with a tag are counted and deleted fast.

It has a row for each tag of each body: the hash of the tag, and the number of the last purge before. A trigger deletes
them with the body. The index does not decide whether a response is purged: the entry itself has its tags.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import blake2b

from cache.stores.disk.rows import Execute

ADD = """
    INSERT OR REPLACE INTO Tag (hash, body, number)
    SELECT hashes.value, Cache.rowid, ? FROM json_each(?) AS bodies
    JOIN Cache ON Cache.key = bodies.key AND Cache.raw = 1 JOIN json_each(bodies.value) AS hashes
"""
_DROP = "DELETE FROM Tag WHERE body = (SELECT rowid FROM Cache WHERE key = ? AND raw = 1)"


def add_tags(execute: Execute, tagged: Iterable[tuple[str, str]], number: int) -> None:
    """Add the tags of new bodies, each given by its entry id and its tags, a line for each.

    `number` is that of the last purge.
    """
    hashes = {f"b:{entry_id}": hashes_of(tags) for entry_id, tags in tagged if tags}
    if hashes:
        execute(ADD, number, json.dumps(hashes))


def replace_tags(execute: Execute, entry_id: str, tags: str, number: int) -> None:
    """Replace the tags of a body that is stored."""
    execute(_DROP, f"b:{entry_id}")
    add_tags(execute, [(entry_id, tags)], number)


def hashes_of(tags: str) -> list[int]:
    """Return the hashes of tags, a line for each."""
    return [hash_of(tag) for tag in tags.split("\n")]


def hash_of(tag: str) -> int:
    """Return the hash of a tag. Two tags with the same are not to be expected, and would be deleted together."""
    return int.from_bytes(blake2b(tag.encode(), digest_size=8).digest(), "big", signed=True)
