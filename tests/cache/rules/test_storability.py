"""The entry of a response that is stored, also after it was encoded and decoded."""

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
from tests.cache.examples import request

POLICY = CachePolicy(keying=KeyPolicy(credential_key=bytes(32)))
REQUEST = Request(
    "GET",
    "https",
    "A.example",
    443,
    "/%61?b",
    fields=Fields((("Accept-Language", "en"), ("Cookie", "user=1"), ("User-Agent", "user-agent/1"))),
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
def test_an_entry_contains_the_request_and_the_response() -> None:
    store = MemoryStore(2**20)
    writer = store.writer()
    writer.write(b"hello")
    writer.commit(new_entry(REQUEST, RECEIVED, POLICY, "0" * 32))
    (entry,) = store.candidates("https://a.example/a?b")
    assert entry == decode(encode(entry))

    assert (entry.method, entry.target) == ("GET", "https://a.example/%61?b")
    assert (entry.request_time, entry.response_time) == (1_795_435_199.0, 1_795_435_201.5)
    assert (entry.head.status, entry.head.reason, entry.head.version) == (404, "Gone Fishing", "HTTP/1.0")
    assert (entry.length, entry.sha256, entry.complete_length) == (5, sha256(b"hello").hexdigest(), None)
    language, cookie, absent = entry.vary
    assert (language, absent) == (("accept-language", "en"), ("x-absent", None))
    assert str(cookie[1]).startswith("hash:")
    assert groups(entry.head.fields) == {"news"}
    assert directives_of(entry, POLICY).max_age == 60
    assert "user-agent/1" not in repr(entry)  # fields that Vary does not nominate are not kept


@pytest.mark.row("STORE-24")
def test_the_entry_of_a_part_contains_its_position() -> None:
    fields = Fields((("ETag", '"1"'), ("Content-Range", "bytes 2-4/10"), ("Content-Length", "3")))
    part = new_entry(
        request(("Range", "bytes=2-4")), Received(Response(206, "Partial Content", fields), 0.0, 1.0), POLICY, "0" * 32
    )
    assert (part.head.status, part.first, part.complete_length, part.total) == (200, 2, 10, 10)
    assert "content-range" not in part.head.fields
    assert "content-length" not in part.head.fields
