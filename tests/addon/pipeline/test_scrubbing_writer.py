"""Secrets in JSON on their way into the store: no octet of them gets there, and what cannot be read does not either."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from base64 import b64encode
from contextlib import closing
from pathlib import Path

import brotli
import pytest
import zstandard

from addon.pipeline.async_store import AsyncStore
from addon.pipeline.scrubbing_writer import Unscrubbable, left_of, scrubbed
from addon.runtime.counters import Counters
from cache.http.messages import Fields, Response
from cache.policy.reasons import NotStored
from cache.rules.secrets import MAX_SCRUBBED
from cache.rules.stored_response import StoredResponse
from cache.stores.base import StoreError
from cache.stores.disk.store import DiskStore
from cache.stores.tiered.store import TieredStore
from tests.fixtures.stored_entries import KEY, new_entry

NAMES = frozenset({"token"})
SECRET, LEFT = b'{"token": "s3cr3t", "n": 1}', b'{"token": "scrubbed", "n": 1}'


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
    ids=["gzip", "br", "zstd", "br, gzip"],
)
def test_a_coding_is_taken_off_before(coding: str, content: bytes) -> None:
    said = entry(("Content-Encoding", coding), ("ETag", '"1"'))
    left, octets = scrubbed(said, content, NAMES)
    assert octets == LEFT
    assert left.head.fields.names() == {"content-type", "content-length"}
    assert (left.length, left.sha256) == (len(LEFT), hashlib.sha256(LEFT).hexdigest())
    assert left.scrubbed


@pytest.mark.parametrize(
    "content",
    [b"", b'{"a": 1}', b"no JSON, and no name of a secret", gzip.compress(b"[]")],
    ids=["empty", "JSON", "text", "gzip"],
)
def test_what_has_no_secret_stays_as_it_came(content: bytes) -> None:
    coded = (("Content-Encoding", "gzip"),) if content.startswith(b"\x1f") else ()
    said = entry(*coded, ("ETag", '"1"'))
    assert scrubbed(said, content, NAMES) == (said, content)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-le"])
def test_a_secret_is_found_in_every_form_of_unicode(encoding: str) -> None:
    found = left_of(SECRET.decode().encode(encoding), None, NAMES, 1000)
    assert found == (LEFT.decode().encode(encoding), 1)


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
    ids=["cut", "not UTF-8", "too long", "gzip too long", "gzip cut", "no gzip", "unknown coding"],
)
def test_what_nobody_can_look_through_is_refused(coding: str | None, content: bytes) -> None:
    said = entry(*[("Content-Encoding", coding)] if coding else [])
    with pytest.raises(Unscrubbable):
        scrubbed(said, content, NAMES)


async def _streamed(stored: AsyncStore, said: StoredResponse, content: bytes, folder: Path) -> NotStored | None:
    writer = await stored.writer(NAMES)
    assert writer is not None
    try:
        for octet in range(0, len(content), 5):
            await stored.run(writer.write, content[octet : octet + 5])
        assert _found(folder) == []
        reason = await stored.commit(writer, said, ())
        assert writer.read(0, len(content)) == content, "who is behind still reads what the origin sent"
        return reason
    finally:
        writer.abort()


def _found(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and b"s3cr3t" in file.read_bytes()]


@pytest.mark.parametrize("streamed", [True, False])
def test_nothing_of_a_secret_ever_reaches_the_disk(tmp_path: Path, streamed: bool) -> None:
    async def conversation() -> None:
        large = SECRET + b" " * 200_000
        if streamed:
            assert await _streamed(stored, entry(), large, tmp_path) is None
        else:
            assert await stored.keep(entry(), large, (), secrets=NAMES) is None
        [kept] = await stored.candidates(KEY)
        assert kept.scrubbed
        assert kept.head.fields.get("content-length") == str(kept.length) == str(len(LEFT) + 200_000)

    stored = AsyncStore(TieredStore(DiskStore(tmp_path, 1 << 26), 1 << 24, 1 << 20), Counters())
    with closing(stored):
        asyncio.run(conversation())
    assert _found(tmp_path) == []


@pytest.mark.parametrize("streamed", [True, False])
def test_what_cannot_be_scrubbed_or_was_damaged_on_its_way_is_not_stored(tmp_path: Path, streamed: bool) -> None:
    other = "sha-256=:" + b64encode(hashlib.sha256(b"other").digest()).decode() + ":"

    async def conversation() -> None:
        for said, content, reason in (
            (entry(), SECRET[:-1], NotStored.UNSCRUBBABLE),
            (entry(("Repr-Digest", other)), SECRET, NotStored.DIGEST_MISMATCH),
        ):
            if streamed:
                assert await _streamed(stored, said, content, tmp_path) is reason
            else:
                assert await stored.keep(said, content, (), secrets=NAMES) is reason
        assert await stored.candidates(KEY) == ()

    counters = Counters()
    stored = AsyncStore(TieredStore(DiskStore(tmp_path, 1 << 26), 1 << 24, 1 << 20), counters)
    with closing(stored):
        asyncio.run(conversation())
    assert "failures.store-write" not in counters.snapshot(), "the store did nothing wrong"


def test_what_is_too_much_is_let_go_at_once(tmp_path: Path) -> None:
    async def conversation() -> None:
        writer = await stored.writer(NAMES)
        assert writer is not None
        writer.write(bytes(MAX_SCRUBBED))
        with pytest.raises(Unscrubbable, match=str(MAX_SCRUBBED)):
            writer.write(b" ")
        writer.abort()
        with pytest.raises(StoreError):
            writer.read(0, 1)

    stored = AsyncStore(TieredStore(DiskStore(tmp_path, 1 << 26), 1 << 24, 1 << 20), Counters())
    with closing(stored):
        asyncio.run(conversation())
