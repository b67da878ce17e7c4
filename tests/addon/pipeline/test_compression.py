"""Coded forms, made on a thread after a response was stored."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from addon.config.settings import Settings
from addon.pipeline import compression
from addon.pipeline.async_store import AsyncStore
from addon.pipeline.compression import Compression
from addon.pipeline.content_codings import decode_content, encode_content
from addon.pipeline.entry_ids import entry_ids
from addon.runtime.counters import Counters
from cache.policy.reasons import NotCompressed
from cache.rules.coded_forms import is_form, with_forms
from cache.stores.base import StoreError
from tests.fixtures.stored_entries import KEY, new_entry

TEXT = b"the same words again and again " * 100
CODINGS = ("br", "zstd", "gzip")
POLICY = Settings.model_validate({"codings": {"compress": CODINGS}}).policy()


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 60))


def counted(counters: Counters) -> dict[str, int]:
    return {name: number for name, number in counters.snapshot().items() if "compressed" in name and number}


def test_a_response_is_kept_with_its_forms(store: AsyncStore, counters: Counters) -> None:
    async def scenario() -> None:
        made = Compression(store, lambda: POLICY, entry_ids(), counters)
        await store.keep(new_entry(), TEXT, ())
        await made.settled()
        (entry,) = with_forms(await store.candidates(KEY))
        assert len(entry.coded_forms) == 3
        for form, coding in zip(reversed(entry.coded_forms), CODINGS, strict=True):
            coded = store.peek_body(form)
            assert coded is not None
            assert decode_content(coded, coding, len(TEXT)) == TEXT
        await made.close()

    run(scenario)
    assert counted(counters) == {"compressed": 3}


def test_a_body_that_was_written_in_pieces_is_compressed(store: AsyncStore, counters: Counters) -> None:
    async def scenario() -> None:
        made = Compression(store, lambda: POLICY, entry_ids(), counters)
        writer = await store.writer()
        assert writer is not None
        for _ in range(3):
            writer.write(TEXT)
        assert await store.commit(writer, new_entry(), ()) is None
        await made.settled()
        assert len(await store.candidates(KEY)) == 4
        await made.close()

    run(scenario)


@pytest.mark.parametrize("compress", [(), CODINGS])
def test_nothing_is_compressed_twice_or_against_the_settings(
    store: AsyncStore, counters: Counters, compress: tuple[str, ...]
) -> None:
    policy = replace(POLICY, codings=replace(POLICY.codings, compress=compress))

    async def scenario() -> None:
        made = Compression(store, lambda: policy, entry_ids(), counters)
        await store.keep(new_entry(), TEXT, ())
        await made.settled()
        await made.settled()
        assert sum(map(is_form, await store.candidates(KEY))) == len(compress)
        await made.close()

    run(scenario)


def test_a_response_that_is_purged_before_it_is_compressed_leaves_no_form(
    store: AsyncStore, counters: Counters
) -> None:
    async def scenario() -> None:
        made = Compression(store, lambda: POLICY, entry_ids(), counters)
        await store.keep(new_entry(), TEXT, ())
        store.sync_store.delete(KEY)  # nothing was awaited, so the compression has not begun
        await made.settled()
        assert await store.candidates(KEY) == ()
        await made.close()

    run(scenario)
    assert counted(counters) == {f"not_compressed.{NotCompressed.STORE_FAILED}": 1}


def test_a_response_that_is_purged_while_it_is_compressed_leaves_no_form(
    store: AsyncStore, counters: Counters, monkeypatch: pytest.MonkeyPatch
) -> None:
    def purge_and_encode(content: bytes, coding: str) -> bytes:
        if coding == CODINGS[1]:
            store.sync_store.delete(KEY)
        return encode_content(content, coding)

    monkeypatch.setattr(compression, "encode_content", purge_and_encode)

    async def scenario() -> None:
        made = Compression(store, lambda: POLICY, entry_ids(), counters)
        await store.keep(new_entry(), TEXT, ())
        await made.settled()
        assert await store.candidates(KEY) == ()
        await made.close()

    run(scenario)
    assert counted(counters) == {"compressed": 1, f"not_compressed.{NotCompressed.OVERTAKEN}": 2}


def test_what_compression_hardly_shortens_is_left_as_it_is(store: AsyncStore, counters: Counters) -> None:
    noise = bytes(number * number * 7919 % 65521 % 256 for number in range(4096))

    async def scenario() -> None:
        made = Compression(store, lambda: POLICY, entry_ids(), counters)
        await store.keep(new_entry(), noise, ())
        await made.settled()
        await made.close()

    run(scenario)
    assert counted(counters) == {f"not_compressed.{NotCompressed.NOT_SMALLER}": 3}


def test_a_body_that_cannot_be_read_is_not_compressed(
    store: AsyncStore, counters: Counters, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_entry: object) -> None:
        raise StoreError("gone")

    monkeypatch.setattr(store, "open_unused", fail)

    async def scenario() -> None:
        made = Compression(store, lambda: POLICY, entry_ids(), counters)
        await store.keep(new_entry(), TEXT, ())
        await made.settled()
        await made.close()

    run(scenario)
    assert counted(counters) == {f"not_compressed.{NotCompressed.STORE_FAILED}": 1}


def test_beyond_a_number_of_waiting_responses_others_stay_as_they_are(
    store: AsyncStore, counters: Counters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "MAX_WAITING", 2)

    async def scenario() -> None:
        made = Compression(store, lambda: POLICY, entry_ids(), counters)
        for number in range(3):
            await store.keep(new_entry(f"{KEY}{number}"), TEXT, ())
        await made.settled()
        await made.close()

    run(scenario)
    assert counted(counters) == {"compressed": 6, f"not_compressed.{NotCompressed.BUSY}": 1}
