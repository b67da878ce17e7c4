"""What a stored response remembers, and that it is all there after a round trip through octets."""

from __future__ import annotations

from hashlib import sha256

import pytest

from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy, KeyPolicy
from cache.rules.freshness import directives_of
from cache.rules.groups import groups
from cache.rules.storability import new_entry
from cache.stores.codec import decode, encode
from cache.stores.memory import MemoryStore

POLICY = CachePolicy(keying=KeyPolicy(credential_key=bytes(32)))
REQUEST = Request(
    "GET",
    "https",
    "A.example",
    443,
    "/%61?b",
    Fields((("Accept-Language", "en"), ("Cookie", "user=1"), ("User-Agent", "somebody/1"))),
)
FIELDS = Fields(
    (
        ("Date", "Mon, 23 Nov 2026 12:00:00 GMT"),
        ("Cache-Control", "max-age=60"),
        ("Vary", "Accept-Language, Cookie, X-Absent"),
        ("Cache-Groups", '"news"'),
    )
)
RECEIVED = Received(Response(404, "Gone Fishing", FIELDS, "HTTP/1.0"), 1_795_435_199.0, 1_795_435_201.5)


@pytest.mark.row("STORE-24")
def test_a_copy_remembers_the_exchange_that_it_comes_from() -> None:
    store = MemoryStore(2**20)
    writer = store.writer()
    writer.write(b"hello")
    writer.commit(new_entry(REQUEST, RECEIVED, POLICY, "0" * 32))
    (kept,) = store.candidates("https://a.example/a?b")
    assert kept == decode(encode(kept))

    assert (kept.method, kept.target) == ("GET", "https://A.example/%61?b")
    assert (kept.request_time, kept.response_time) == (1_795_435_199.0, 1_795_435_201.5)
    assert (kept.head.status, kept.head.reason, kept.head.version) == (404, "Gone Fishing", "HTTP/1.0")
    assert (kept.length, kept.sha256, kept.complete_length) == (5, sha256(b"hello").hexdigest(), None)
    language, cookie, absent = kept.vary
    assert (language, absent) == (("accept-language", "en"), ("x-absent", None))
    assert str(cookie[1]).startswith("hash:")
    assert groups(kept.head.fields) == {"news"}
    assert directives_of(kept, POLICY).max_age == 60
    assert "somebody" not in repr(kept)  # what Vary does not name is not kept


@pytest.mark.row("STORE-24")
def test_a_part_remembers_where_it_lies() -> None:
    request = Request("GET", "http", "a.example", 80, "/", Fields((("Range", "bytes=2-4"),)))
    fields = Fields((("ETag", '"1"'), ("Content-Range", "bytes 2-4/10"), ("Content-Length", "3")))
    part = new_entry(request, Received(Response(206, "Partial Content", fields), 0.0, 1.0), POLICY, "0" * 32)
    assert (part.head.status, part.first, part.complete_length, part.total) == (200, 2, 10, 10)
    assert "content-range" not in part.head.fields
    assert "content-length" not in part.head.fields
