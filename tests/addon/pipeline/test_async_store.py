"""The store as the event loop uses it: small responses need no thread, and a purge reaches fills too."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import threading
from collections.abc import Awaitable, Callable, Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from addon.pipeline.async_store import AsyncStore
from addon.pipeline.single_flight import SingleFlight
from addon.runtime.counters import Counters
from addon.runtime.credential_key import CREDENTIAL_KEY, credential_key
from cache.engine.decisions import Update
from cache.http.messages import Fields, Response
from cache.policy.reasons import NotStored
from cache.rules.stored_response import StoredResponse
from cache.stores.disk.store import DiskStore
from cache.stores.purge_scopes import ALL, Scope, url_name
from cache.stores.tiered import write_behind
from cache.stores.tiered.store import TieredStore
from tests.fixtures.stored_entries import KEY, new_entry


@pytest.fixture(autouse=True)
def _nothing_is_written_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write nothing to the disk until a test waits for it."""
    monkeypatch.setattr(write_behind, "DELAY", 3600.0)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 60))


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test if it uses a thread of the store."""

    async def fail(*_: object, **__: object) -> None:
        pytest.fail("a thread of the store was used")

    monkeypatch.setattr(AsyncStore, "run", fail)


def test_a_small_response_is_stored_read_and_updated_without_a_thread(
    store: AsyncStore, counters: Counters, no_threads: None
) -> None:
    async def scenario() -> None:
        assert store.peek(KEY) == await store.candidates(KEY) == ()
        slot = store.generations.slot(KEY)
        generation = store.generations.current(slot)
        assert await store.keep(new_entry(), b"body", ()) is None
        assert store.generations.current(slot) != generation
        (entry,) = await store.candidates(KEY)
        assert store.peek(KEY) == (entry,)
        assert entry.length == 4
        assert store.peek_body(entry) == b"body"
        assert (await store.open(entry)).read(0, 4) == b"body"
        updated = replace(entry, request_time=2.0, revision=1)
        await store.apply((Update(updated),))
        assert store.peek(KEY) == (updated,)
        counts = counters.snapshot()
        assert (counts["stored"], counts["freshened"]) == (1, 1)

    run(scenario)


def test_a_large_response_is_written_to_the_disk(store: AsyncStore) -> None:
    async def scenario() -> None:
        content = b"x" * 100_000
        assert await store.keep(new_entry(), content, ()) is None
        (entry,) = await store.candidates(KEY)
        assert (await store.open(entry)).read(0, len(content)) == content
        assert store.peek_body(entry) == content

    run(scenario)


def test_a_body_is_closed_if_its_reader_is_cancelled_while_it_is_opened(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        opens, may_open, closed = threading.Event(), threading.Event(), threading.Event()

        def slow_open(_entry: StoredResponse) -> SimpleNamespace:
            opens.set()
            may_open.wait(30)
            return SimpleNamespace(close=closed.set)

        monkeypatch.setattr(store.sync_store, "open", slow_open)
        reader = asyncio.ensure_future(store.open(new_entry()))
        await asyncio.to_thread(opens.wait, 30)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        may_open.set()
        assert await asyncio.to_thread(closed.wait, 30)

    run(scenario)


@pytest.mark.parametrize("length", [4, 100_000])
def test_a_response_whose_digest_does_not_match_is_not_stored(store: AsyncStore, length: int) -> None:
    async def scenario() -> None:
        digest = base64.b64encode(hashlib.sha256(b"x" * length).digest()).decode()
        entry = new_entry(head=Response(200, "OK", Fields((("Repr-Digest", f"sha-256=:{digest}:"),))))
        assert await store.keep(entry, b"y" * length, ()) is NotStored.DIGEST_MISMATCH
        assert await store.candidates(KEY) == ()
        assert await store.keep(entry, b"x" * length, ()) is None
        assert len(await store.candidates(KEY)) == 1

    run(scenario)


def test_a_response_on_its_way_is_dropped_by_a_purge_and_marked_by_an_invalidation(store: AsyncStore) -> None:
    async def scenario() -> None:
        single_flight, other_key = SingleFlight(), KEY + "x"
        purged, invalidated = (single_flight.begin(key, leads=True) for key in (KEY, other_key))
        store.sync_store.purge([Scope(url_name(KEY))])
        single_flight.mark_invalidated(other_key)
        assert await store.keep(new_entry(), b"body", (), flight=purged) is NotStored.OVERTAKEN
        assert store.peek(KEY) == ()
        assert await store.keep(new_entry(other_key), b"body", (), flight=invalidated) is None
        assert [entry.invalid for entry in await store.candidates(other_key)] == [True]

    run(scenario)


@pytest.mark.parametrize("way", ["kept", "written"])
def test_a_response_is_validated_if_another_process_invalidates_its_key_while_it_is_being_stored(
    store: AsyncStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Ledger INVAL-08."""
    flight = SingleFlight().begin(KEY, leads=True)
    flight.changed_elsewhere = lambda: False  # it was asked before
    keep_later = store.sync_store.keep

    def keep(entry: StoredResponse, body: bytes, replaces: Iterable[str] = ()) -> StoredResponse | None:
        other_process.invalidate(KEY)
        return keep_later(entry, body, replaces)

    async def scenario() -> None:
        await store.candidates(KEY)
        monkeypatch.setattr(store.sync_store, "keep", keep)
        if way == "kept":
            assert await store.keep(new_entry(), b"body", (), flight=flight) is None
        else:
            writer = store.sync_store.writer()
            writer.write(b"body")
            assert await store.commit(writer, new_entry(), (), flight) is None
        assert [each.invalid for each in await store.candidates(KEY)] == [True]

    with closing(TieredStore(DiskStore(tmp_path / "store", 1 << 26), 1 << 24, 1 << 20)) as other_process:
        run(scenario)


def test_a_response_that_is_stored_during_a_purge_is_dropped(store: AsyncStore) -> None:
    async def scenario() -> None:
        single_flight = SingleFlight()
        flight = single_flight.begin(KEY, leads=True)
        await store.commits.acquire()
        keeping = asyncio.ensure_future(store.keep(new_entry(), b"body", (), flight=flight))
        await asyncio.sleep(0)
        store.sync_store.purge([Scope(ALL)])
        store.commits.release()
        assert await keeping is NotStored.OVERTAKEN

    run(scenario)


def test_a_credential_key_that_cannot_be_written_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr(Path, "write_bytes", full)
        assert len(credential_key(tmp_path)) == 32
    assert list(tmp_path.iterdir()) == []
    key = credential_key(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [CREDENTIAL_KEY]
    assert credential_key(tmp_path) == key
