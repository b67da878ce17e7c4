"""Scrubbing of JSON before it is stored: no secret reaches the disk, and unreadable JSON is not stored."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from base64 import b64encode
from pathlib import Path

import brotli
import pytest
import zstandard

from addon.pipeline.async_store import AsyncStore
from addon.pipeline.scrubbing_writer import ScrubbingError, scrub_json, scrubbed
from addon.runtime.counters import Counters
from cache.http.messages import Fields, Response
from cache.policy.reasons import NotStored
from cache.rules.secrets import MAX_SCRUBBED
from cache.rules.stored_response import StoredResponse
from cache.stores.base import StoreError
from tests.fixtures.stored_entries import KEY, new_entry

NAMES = frozenset({"token"})
SECRET, SCRUBBED = b'{"token": "s3cr3t", "n": 1}', b'{"token": "scrubbed", "n": 1}'


def entry(*fields: tuple[str, str]) -> StoredResponse:
    return new_entry(head=Response(200, "OK", Fields((("Content-Type", "application/json"), *fields))), vary=())


@pytest.mark.parametrize(
    ("coding", "content"),
    [
        ("gzip", gzip.compress(SECRET)),
        ("br", brotli.compress(SECRET)),
        ("zstd", zstandard.compress(SECRET)),
        ("br, gzip", gzip.compress(brotli.compress(SECRET))),
    ],
    ids=["gzip", "br", "zstd", "br and gzip"],
)
def test_content_codings_are_removed(coding: str, content: bytes) -> None:
    original = entry(("Content-Encoding", coding), ("ETag", '"1"'))
    stored, stored_content = scrubbed(original, content, NAMES)
    assert stored_content == SCRUBBED
    assert stored.head.fields.names() == {"content-type", "content-length"}
    assert (stored.length, stored.sha256) == (len(SCRUBBED), hashlib.sha256(SCRUBBED).hexdigest())
    assert stored.scrubbed


@pytest.mark.parametrize(
    "content",
    [b"", b'{"a": 1}', b"no JSON, and no name of a secret", gzip.compress(b"[]")],
    ids=["empty", "JSON", "no JSON", "gzip"],
)
def test_content_without_a_secret_is_unchanged(content: bytes) -> None:
    fields = (("Content-Encoding", "gzip"),) if content.startswith(b"\x1f") else ()
    original = entry(*fields, ("ETag", '"1"'))
    assert scrubbed(original, content, NAMES) == (original, content)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-le"])
def test_a_secret_is_found_in_every_unicode_encoding(encoding: str) -> None:
    found = scrub_json(SECRET.decode().encode(encoding), None, NAMES, 1000)
    assert found == (SCRUBBED.decode().encode(encoding), 1)


@pytest.mark.parametrize(
    ("coding", "content"),
    [
        (None, b'{"token": '),
        (None, b'{"token": "\xe9"}'),
        (None, b'{"a": 1}' + b" " * MAX_SCRUBBED),
        ("gzip", gzip.compress(b" " * (MAX_SCRUBBED + 1))),
        ("gzip", gzip.compress(SECRET)[:-9]),
        ("gzip", SECRET),
        ("dcb", b"?"),
    ],
    ids=["incomplete", "not UTF-8", "too long", "too long decoded", "truncated gzip", "not gzip", "unknown coding"],
)
def test_unreadable_content_is_refused(coding: str | None, content: bytes) -> None:
    original = entry(*[("Content-Encoding", coding)] if coding else [])
    with pytest.raises(ScrubbingError):
        scrubbed(original, content, NAMES)


async def _stream(store: AsyncStore, entry: StoredResponse, content: bytes, folder: Path) -> NotStored | None:
    """Store content in pieces; return the reason if it is not stored."""
    writer = await store.writer(NAMES)
    assert writer is not None
    try:
        for start in range(0, len(content), 5):
            await store.run(writer.write, content[start : start + 5])
        assert _files_with_secret(folder) == []
        reason = await store.commit(writer, entry, ())
        assert writer.read(0, len(content)) == content, "readers still get what the origin sent"
        return reason
    finally:
        writer.abort()


def _files_with_secret(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and b"s3cr3t" in file.read_bytes()]


@pytest.mark.parametrize("streamed", [True, False])
def test_no_secret_reaches_the_disk(store: AsyncStore, tmp_path: Path, streamed: bool) -> None:
    async def scenario() -> None:
        large = SECRET + b" " * 200_000
        if streamed:
            assert await _stream(store, entry(), large, tmp_path) is None
        else:
            assert await store.keep(entry(), large, (), secrets=NAMES) is None
        [response] = await store.candidates(KEY)
        assert response.scrubbed
        assert response.head.fields.get("content-length") == str(response.length) == str(len(SCRUBBED) + 200_000)

    asyncio.run(scenario())
    store.close()
    assert _files_with_secret(tmp_path) == []


@pytest.mark.parametrize("streamed", [True, False])
def test_unreadable_or_damaged_json_is_not_stored(
    store: AsyncStore, counters: Counters, tmp_path: Path, streamed: bool
) -> None:
    wrong_digest = "sha-256=:" + b64encode(hashlib.sha256(b"other").digest()).decode() + ":"

    async def scenario() -> None:
        for original, content, reason in (
            (entry(), SECRET[:-1], NotStored.UNSCRUBBABLE),
            (entry(("Repr-Digest", wrong_digest)), SECRET, NotStored.DIGEST_MISMATCH),
        ):
            if streamed:
                assert await _stream(store, original, content, tmp_path) is reason
            else:
                assert await store.keep(original, content, (), secrets=NAMES) is reason
        assert await store.candidates(KEY) == ()

    asyncio.run(scenario())
    assert "failures.store-write" not in counters.snapshot(), "the store did not fail"


def test_json_that_is_too_long_is_refused_and_released(store: AsyncStore) -> None:
    async def scenario() -> None:
        writer = await store.writer(NAMES)
        assert writer is not None
        writer.write(bytes(MAX_SCRUBBED))
        with pytest.raises(ScrubbingError, match=str(MAX_SCRUBBED)):
            writer.write(b" ")
        writer.abort()
        with pytest.raises(StoreError):
            writer.read(0, 1)

    asyncio.run(scenario())
