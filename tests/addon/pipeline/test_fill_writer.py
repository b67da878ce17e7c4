"""A fill's writer: slow readers read back what is written, also while the response is being stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

from addon.pipeline.fill_writer import MEASURED_EVERY, FillWriter
from addon.pipeline.not_stored_log import NotStoredLog
from addon.pipeline.size_limit import SizeLimit
from addon.pipeline.too_large import TooLargeResponses
from addon.runtime.counters import Counters
from cache.answer.cache_status import Handling
from tests.fixtures.stored_entries import new_entry


class Body:
    """A body that cannot be read while it is being committed."""

    def __init__(self) -> None:
        self.data = b""
        self.committing = False

    def write(self, chunk: bytes) -> None:
        self.data += chunk

    def read(self, start: int, stop: int) -> bytes:
        assert not self.committing
        return self.data[start:stop]

    def abort(self) -> None:
        """Release nothing."""


class Store:
    """A store in which everything takes a moment."""

    def __init__(self) -> None:
        self.commits = asyncio.Lock()
        self.measured = 0

    async def run[Result](self, function: Callable[..., Result], *arguments: object) -> Result:
        for _ in range(3):
            await asyncio.sleep(0)
        return function(*arguments)

    async def commit(self, body: Body, *_: object) -> None:
        body.committing = True
        for _ in range(10):
            await asyncio.sleep(0)
        body.committing = False

    async def candidates(self, _key: str) -> tuple[()]:
        return ()

    async def free_space(self) -> int:
        self.measured += 1
        return 3 * MEASURED_EVERY


def fill_writer(body: Body, store: Store) -> FillWriter:
    """Return the writer of a body that may have 100 bytes, or fill the free space."""
    return FillWriter(
        outcome=SimpleNamespace(entry=new_entry(), replaces=(), secrets=("a secret",), handling=Handling()),
        writer=body,
        flight=SimpleNamespace(last_purge=0, invalidated=False, end=lambda _: None),
        store=store,
        not_stored=NotStoredLog(lambda: 0.0, Counters()),
        size_limit=SizeLimit(100, TooLargeResponses(None), store, up_to_free_space=True),
    )


def test_a_reader_never_reads_from_a_body_that_is_being_stored() -> None:
    async def main() -> None:
        writer = fill_writer(Body(), Store())
        await writer.write(b"hello")
        read, _ = await asyncio.gather(writer.read(0, 5), writer.commit(being_read=True))
        assert read == b"hello"

    asyncio.run(main())


def test_the_free_space_is_measured_now_and_then_and_is_the_limit() -> None:
    store = Store()

    async def main() -> None:
        writer = fill_writer(body := Body(), store)
        for _ in range(300):
            await writer.write(bytes(MEASURED_EVERY // 100))
        assert writer.active
        assert store.measured == 3
        await writer.write(bytes(MEASURED_EVERY // 10))
        assert not writer.active
        assert len(body.data) <= 3 * MEASURED_EVERY

    asyncio.run(main())
