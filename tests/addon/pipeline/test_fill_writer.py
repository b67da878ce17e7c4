"""A fill's writer: slow readers read back what is written, also while the response is being stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

from addon.pipeline.fill_writer import FillWriter
from addon.pipeline.not_stored_log import NotStoredLog
from addon.pipeline.size_limit import SizeLimit
from addon.pipeline.too_large import TooLargeResponses
from addon.runtime.counters import Counters
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


def test_a_reader_never_reads_from_a_body_that_is_being_stored() -> None:
    async def main() -> None:
        body, store = Body(), Store()
        flight = SimpleNamespace(last_purge=0, invalidated=False, end=lambda _: None)
        outcome = SimpleNamespace(entry=new_entry(), replaces=(), secrets=("a secret",))
        not_stored = NotStoredLog(lambda: 0.0, Counters())
        writer = FillWriter(
            outcome=outcome,
            writer=body,
            flight=flight,
            store=store,
            not_stored=not_stored,
            size_limit=SizeLimit(100, TooLargeResponses(None)),
        )
        await writer.write(b"hello")
        read, _ = await asyncio.gather(writer.read(0, 5), writer.commit(being_read=True))
        assert read == b"hello"

    asyncio.run(main())
