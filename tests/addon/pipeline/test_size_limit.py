"""The size of the largest content that is stored."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from addon.pipeline.async_store import AsyncStore
from addon.pipeline.size_limit import SizeLimit
from addon.pipeline.too_large import FILE_NAME, TooLargeResponse, TooLargeResponses

URI = "http://a.test/model.bin"


def allowed(limit: SizeLimit, *lengths: int) -> list[bool]:
    """Return whether content with these many bytes is stored, for each of the lengths."""

    async def main() -> list[bool]:
        return [await limit.allows(length) for length in lengths]

    return asyncio.run(main())


def test_content_may_have_the_usual_size_or_fill_the_free_space(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = [0]
    monkeypatch.setattr(store.sync_store, "free_space", lambda: free[0])
    limit = SizeLimit(100, TooLargeResponses(None), store, up_to_free_space=True)
    assert allowed(limit, 100, 101) == [True, False]
    free[0] = 500
    assert allowed(limit, 500, 501) == [True, False]


def test_without_free_space_only_the_usual_size_is_allowed(store: AsyncStore) -> None:
    assert allowed(SizeLimit(100, TooLargeResponses(None), store), 100, 101) == [True, False]


def test_what_fits_now_is_not_too_large_any_more(store: AsyncStore) -> None:
    remembered = TooLargeResponses(None)

    async def main() -> None:
        await SizeLimit(100, remembered, store).note_too_large(URI, 500, whole=True)
        found = await SizeLimit(100, remembered, store).too_large(URI)
        assert found == TooLargeResponse(URI, 500, whole=True, limit=100)
        assert await SizeLimit(500, remembered, store).too_large(URI) is None

    asyncio.run(main())


def test_the_disk_is_read_on_threads_of_the_store_only(
    store: AsyncStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = TooLargeResponses(tmp_path)
    before.note(TooLargeResponse(URI, 500, whole=True, limit=100))
    before.save()
    readers, read_bytes = [], Path.read_bytes

    def free_space() -> int:
        readers.append(("free space", threading.current_thread().name))
        return 200

    def noted(file: Path) -> bytes:
        readers.append((file.name, threading.current_thread().name))
        return read_bytes(file)

    monkeypatch.setattr(store.sync_store, "free_space", free_space)
    monkeypatch.setattr(Path, "read_bytes", noted)

    async def main() -> None:
        limit = SizeLimit(100, TooLargeResponses(tmp_path), store, up_to_free_space=True)
        assert await limit.too_large(URI) is not None
        await limit.note_too_large(URI, 500, whole=True)
        assert not await limit.allows(500)

    asyncio.run(main())
    assert [what for what, _ in readers] == [FILE_NAME, "free space", "free space", "free space"]
    assert all(thread.startswith("store") for _, thread in readers)
