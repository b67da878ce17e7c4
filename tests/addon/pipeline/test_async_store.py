"""The store as the event loop sees it: what memory answers at once, and that a purge overlooks nothing."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from addon.pipeline.async_store import AsyncStore
from addon.pipeline.single_flight import SingleFlight
from addon.runtime.counters import Counters
from addon.runtime.credential_key import CREDENTIAL_KEY, credential_key
from cache.engine.decisions import Update
from cache.http.messages import Fields, Response
from cache.policy.reasons import NotStored
from cache.stores.disk.store import DiskStore
from cache.stores.tiered import write_behind
from cache.stores.tiered.store import TieredStore
from tests.fixtures.stored_entries import KEY, new_entry

Talk = Callable[[AsyncStore, Counters], Awaitable[None]]


def talk(directory: Path, conversation: Talk) -> None:
    """Run a conversation with a store that nothing reaches the disk of before it is waited for."""
    counters = Counters()
    stored = AsyncStore(TieredStore(DiskStore(directory, 1 << 26), 1 << 24, 1 << 20), counters)
    with closing(stored):
        asyncio.run(asyncio.wait_for(conversation(stored, counters), 60))


@pytest.fixture(autouse=True)
def _slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_behind, "DELAY", 3600.0)


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail whatever takes a store thread."""

    async def run(*_: object, **__: object) -> None:
        pytest.fail("a store thread was asked")

    monkeypatch.setattr(AsyncStore, "run", run)


def test_what_is_small_is_stored_read_and_updated_without_a_thread(tmp_path: Path, no_threads: None) -> None:
    async def conversation(stored: AsyncStore, counters: Counters) -> None:
        assert stored.peek(KEY) == await stored.candidates(KEY) == ()
        number = stored.generations.current(stored.generations.slot(KEY))
        assert await stored.keep(new_entry(), b"body", ()) is None
        assert stored.generations.current(stored.generations.slot(KEY)) != number
        (entry,) = await stored.candidates(KEY)
        assert stored.peek(KEY) == (entry,)
        assert entry.length == 4
        assert stored.peek_body(entry) == b"body"
        assert (await stored.open(entry)).read(0, 4) == b"body"
        await stored.apply((Update(replace(entry, request_time=2.0, revision=1)),))
        assert stored.peek(KEY) == (replace(entry, request_time=2.0, revision=1),)
        counts = counters.snapshot()
        assert (counts["stored"], counts["freshened"]) == (1, 1)

    talk(tmp_path / "store", conversation)


def test_what_is_large_goes_to_the_disk(tmp_path: Path) -> None:
    async def conversation(stored: AsyncStore, counters: Counters) -> None:
        assert await stored.keep(new_entry(), b"x" * 100_000, ()) is None
        (entry,) = await stored.candidates(KEY)
        assert (await stored.open(entry)).read(0, 100_000) == b"x" * 100_000
        assert stored.peek_body(entry) == b"x" * 100_000

    talk(tmp_path / "store", conversation)


@pytest.mark.parametrize("length", [4, 100_000])
def test_what_its_own_digest_contradicts_is_not_stored(tmp_path: Path, length: int) -> None:
    async def conversation(stored: AsyncStore, counters: Counters) -> None:
        for octets, reason in ((b"y", NotStored.DIGEST_MISMATCH), (b"x", None)):
            digest = base64.b64encode(hashlib.sha256(b"x" * length).digest()).decode()
            entry = new_entry(head=Response(200, "OK", Fields((("Repr-Digest", f"sha-256=:{digest}:"),))))
            assert await stored.keep(entry, octets * length, ()) is reason
            assert len(await stored.candidates(KEY)) == (reason is None)

    talk(tmp_path / "store", conversation)


def test_what_was_purged_or_invalidated_on_its_way_is_not_kept_as_if_nothing_had_been(tmp_path: Path) -> None:
    async def conversation(stored: AsyncStore, counters: Counters) -> None:
        single_flight = SingleFlight()
        purged, invalidated = single_flight.begin(KEY, leads=True), single_flight.begin(KEY + "x", leads=True)
        single_flight.mark_purged(lambda key: key == KEY)
        single_flight.mark_invalidated(KEY + "x")
        assert await stored.keep(new_entry(), b"body", (), flight=purged) is NotStored.OVERTAKEN
        assert stored.peek(KEY) == ()
        assert await stored.keep(new_entry(KEY + "x"), b"body", (), flight=invalidated) is None
        assert [entry.invalid for entry in await stored.candidates(KEY + "x")] == [True]

    talk(tmp_path / "store", conversation)


def test_nothing_is_kept_while_a_purge_is_under_way(tmp_path: Path) -> None:
    async def conversation(stored: AsyncStore, counters: Counters) -> None:
        single_flight = SingleFlight()
        flight = single_flight.begin(KEY, leads=True)
        await stored.commits.acquire()
        keeping = asyncio.ensure_future(stored.keep(new_entry(), b"body", (), flight=flight))
        await asyncio.sleep(0)
        single_flight.mark_purged(lambda _: True)
        stored.commits.release()
        assert await keeping is NotStored.OVERTAKEN

    talk(tmp_path / "store", conversation)


def test_a_key_of_credentials_that_cannot_be_written_leaves_no_draft(
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
