"""Recordings with known contents."""

from __future__ import annotations

import gzip
import os
from contextlib import closing
from dataclasses import replace

from addon.recordings.library import RecordingLibrary
from cache.http.messages import Fields, Response
from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore

DATE = "Fri, 06 Nov 2026 21:20:00 GMT"
JSON = "Content-Type: application/json"
RESPONSE_TIME = 1_794_000_000.25
"""Seconds since the epoch."""
HTML = gzip.compress(b"<p>h\xc3\xa9llo</p>" * 100)
BINARY = bytes(range(256)) * 400


def put(store: ResponseStore, uri: str, content: bytes = b"hello", *fields: str, **changes: object) -> StoredResponse:
    """Store a response to GET that was received at RESPONSE_TIME, and return it as stored."""
    lines = tuple(tuple(field.split(": ", 1)) for field in fields)
    head = Response(200, "OK", Fields((("Date", DATE), *lines)))
    entry = StoredResponse(
        id=os.urandom(16).hex(),
        key=uri,
        method="GET",
        target=uri,
        head=head,
        request_time=RESPONSE_TIME - 0.5,
        response_time=RESPONSE_TIME,
        stored_at=RESPONSE_TIME,
    )
    writer = store.writer()
    writer.write(content)
    return writer.commit(replace(entry, **changes))  # type: ignore[arg-type]  # fields of an entry


def record_all_kinds(library: RecordingLibrary, name: str) -> None:
    """Create a recording of 12 responses, one for each case that an export or import could get wrong."""
    with library.create(name) as store:
        put(store, "https://a.test/html?q=1", HTML, "Content-Type: text/html", "Content-Encoding: gzip", 'ETag: "1"')
        put(store, "http://a.test/binary", BINARY, "Content-Type: image/png", f"Content-Length: {len(BINARY)}")
        put(
            store,
            "http://a.test/not-utf-8",
            b"caf\xe9",
            "Content-Type: text/plain; charset=latin-1",
            "X-Caf\xe9: no".replace("\xe9", "e"),
        )
        put(
            store,
            "http://a.test/latin-1",
            b"{}",
            "Content-Type: application/json",
            "X-Name: caf\xe9",
            "X-Two: 1",
            "X-Two: 2",
        )
        put(store, "http://a.test/not-gzip", b"plain", "Content-Type: text/html", "Content-Encoding: gzip")
        put(store, "http://a.test/german", b"hallo", "Vary: Accept-Language", vary=(("accept-language", "de"),))
        put(store, "http://a.test/german", b"hello", "Vary: Accept-Language", vary=(("accept-language", None),))
        put(store, "http://a.test/part", b"cdef", 'ETag: "p"', first=2, complete_length=10)
        put(
            store,
            "http://a.test/gone",
            b"",
            head=Response(410, "Gone", Fields((("Date", "Fri, 06 Nov 2026 21:20:00 GMT"),))),
        )
        digest = "#content=" + "0" * 64
        put(store, "http://a.test/post", b"read", key=f"http://a.test/post{digest}", method="POST")
        put(store, "http://a.test/head", b"", "Content-Length: 10", method="HEAD")
        put(store, "http://a.test/secret", b'{"token": "scrubbed"}', JSON, scrubbed=True)


def contents_of(library: RecordingLibrary, name: str) -> list[tuple[object, ...]]:
    """Return the entries and contents of a recording, without the ids and times that differ in each copy of it."""
    with library.opened(name) as store:
        responses = []
        for entry in store.entries():
            with closing(store.open(entry)) as body:
                responses.append((replace(entry, id="", stored_at=0.0), body.read(0, body.length)))
        return sorted(responses, key=repr)
