"""The last uses of entries, which take little memory."""

from __future__ import annotations

import sys

from tests.cache.stores.redis.conftest import OpenNode
from tests.fixtures.stored_entries import new_entry


def test_an_entry_is_known_by_its_id_but_is_not_kept(open_node: OpenNode) -> None:
    recency, entry = open_node().recency, new_entry()
    references = sys.getrefcount(entry)
    recency.know([entry])
    assert sys.getrefcount(entry) == references
    assert recency.is_taken(new_entry("http://other.example/", id=entry.id))
    assert not recency.is_taken(entry)
