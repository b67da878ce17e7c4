"""Fetches without a task while other processes use the same store: the lease of the key comes before the request."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

from addon.runtime.leases import client as client_module
from addon.runtime.leases.server import LeaseServer
from tests.addon.frontend.front_end import Client, Conversation, FrontEndUnderTest, get, run_conversation
from tests.fixtures.raw_origin import Peer, RawOrigin, Script
from tests.fixtures.until import until
from tests.lanes.messages import ClientResponse

DATE = b"Mon, 23 Nov 2026 12:00:00 GMT"
HEAD = b"HTTP/1.1 200 OK\r\nDate: %b\r\nCache-Control: %b\r\nContent-Length: 2\r\n"
FRESH = HEAD % (DATE, b"max-age=60") + b"\r\nok"
NO_STORE = HEAD % (DATE, b"no-store") + b"\r\nok"
STALE = HEAD % (DATE, b"max-age=1") + b'ETag: "1"\r\n\r\nok'
NO_CACHE = HEAD % (DATE, b"no-cache") + b'ETag: "1"\r\n\r\nok'
CONFIRMED = b'HTTP/1.1 304 Not Modified\r\nDate: %b\r\nETag: "1"\r\nCache-Control: max-age=60\r\n\r\n' % DATE


class Workers(FrontEndUnderTest):
    """Two front ends with one store and one lease server. This is the first of them.

    Attributes:
        second: The other one.
        server: The lease server.
    """

    def __init__(self, tables: dict[str, Any]) -> None:
        super().__init__(tables)
        self.server = LeaseServer(self.settings.store.directory.parent)
        self.second = FrontEndUnderTest(tables)
        self.lease_socket = self.second.lease_socket = self.server.path

    async def __aenter__(self) -> Self:
        await self.server.start()
        await self.second.__aenter__()
        return await super().__aenter__()

    async def __aexit__(self, *_: object) -> None:
        await super().__aexit__()
        await self.second.__aexit__()
        await self.server.close()

    async def until_waiting(self) -> None:
        """Return once one worker waits for the other one."""
        await until(lambda: self.server.table.waiting == 1)

    async def until_written(self) -> None:
        """Return once all responses are on the disk."""
        await until(lambda: not len(self.server.table))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not give up the server, which shares its event loop with the workers here."""
    monkeypatch.setattr(client_module, "SLOW", 60.0)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., None]:
    """Return a function that runs a conversation between two workers and an origin that follows scripts."""

    def run_workers(conversation: Conversation[Workers], *scripts: Script, **cache: object) -> None:
        store = {"kind": "disk", "path": str(tmp_path / "store")}
        run_conversation(
            conversation, *scripts, front_end=Workers, store=store, cache={"collapse_timeout": "1h"} | cache
        )

    return run_workers


class Pages:
    """Answers by path: `/a...` only once it is `open`. Every other path is answered at once.

    Attributes:
        response: What is sent for `/a`.
        open: Set when requests for `/a` may be answered.
    """

    def __init__(self, response: bytes) -> None:
        self.response = response
        self.open = asyncio.Event()

    async def __call__(self, peer: Peer) -> None:
        while True:
            if b"GET /a" in await peer.request():
                await self.open.wait()
                await peer.send(self.response)
            else:
                await peer.send(FRESH)


async def learn(workers: Workers, origin: RawOrigin) -> list[Client]:
    """Return a client of each worker; both workers have a template for requests like `/a`, and an idle connection."""
    clients = [await workers.client(), await workers.second.client()]
    for number, client in enumerate(clients):
        await client.fetch(get(origin, f"/learnt{number}"))
    await workers.until_written()
    origin.requests.clear()
    return clients


def cache_status(response: ClientResponse) -> str:
    return next(value for name, value in response.fields if name.lower() == "cache-status")


def test_a_worker_is_answered_from_the_store_by_what_another_one_fetches(run: Callable[..., None]) -> None:
    pages = Pages(FRESH)

    async def conversation(workers: Workers, origin: RawOrigin) -> None:
        first, second = await learn(workers, origin)
        first.send(get(origin, "/a"))
        await until(lambda: len(origin.requests) == 1)
        second.send(get(origin, "/a"))
        await workers.until_waiting()
        pages.open.set()
        assert (await first.response()).status == 200
        response = await second.response()
        assert (response.status, response.body) == (203, b"ok")
        assert "fwd=uri-miss; fwd-status=200; collapsed" in cache_status(response)
        assert (await second.fetch(get(origin, "/a"))).status == 203
        assert len(origin.requests) == 1
        assert workers.second.service.counters.snapshot()["requests"] == 3
        assert workers.fast_path.templates.response_template_count == 1  # `first` needed no task

    run(conversation, pages)


def test_a_worker_that_gets_no_store_tells_the_other_one_which_goes_forward_at_once(run: Callable[..., None]) -> None:
    pages = Pages(NO_STORE)

    async def conversation(workers: Workers, origin: RawOrigin) -> None:
        first, second = await learn(workers, origin)
        first.send(get(origin, "/a"))
        await until(lambda: len(origin.requests) == 1)
        second.send(get(origin, "/a"))
        await workers.until_waiting()
        pages.open.set()
        for client in (first, second):
            assert (await client.response()).status == 200
        pages.open.clear()
        for client in (first, second):
            client.send(get(origin, "/a"))
        await until(lambda: len(origin.requests) == 4)
        assert not len(workers.server.table)  # neither asks again
        pages.open.set()
        for client in (first, second):
            assert (await client.response()).status == 200

    run(conversation, pages)


def test_what_another_worker_has_stored_between_look_and_lease_is_used(run: Callable[..., None]) -> None:
    pages = Pages(FRESH)
    pages.open.set()

    async def conversation(workers: Workers, origin: RawOrigin) -> None:
        first, second = await learn(workers, origin)
        asked = workers.second.service.active.own.fetcher.leases
        assert asked is not None
        ask = asked.ask

        def ask_later(*arguments: Any) -> None:
            async def wait() -> None:
                await first.fetch(get(origin, "/a"))
                await workers.until_written()
                ask(*arguments)

            waiting.append(asyncio.get_running_loop().create_task(wait()))

        waiting: list[asyncio.Task[None]] = []
        asked.ask = ask_later  # type: ignore[method-assign] # as if the second worker was slow
        assert (await second.fetch(get(origin, "/a"))).status == 203
        assert len(origin.requests) == 1

    run(conversation, pages)


def test_the_fetch_goes_on_when_its_client_disconnects_before_the_lease_is_granted(run: Callable[..., None]) -> None:
    pages = Pages(FRESH)

    async def conversation(workers: Workers, origin: RawOrigin) -> None:
        first, second = await learn(workers, origin)
        first.send(get(origin, "/a"))
        await until(lambda: len(origin.requests) == 1)
        second.send(get(origin, "/a"))
        await workers.until_waiting()
        second.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        second.disconnect()  # by a reset
        await until(lambda: not workers.second.connections)
        other = await workers.second.client()
        other.send(get(origin, "/a"))
        pages.open.set()
        assert (await other.response()).status == 203
        assert len(origin.requests) == 1

    run(conversation, pages)


def test_a_worker_sends_the_request_itself_when_the_other_one_dies(run: Callable[..., None]) -> None:
    pages = Pages(FRESH)

    async def conversation(workers: Workers, origin: RawOrigin) -> None:
        first, second = await learn(workers, origin)
        first.send(get(origin, "/a"))
        await until(lambda: len(origin.requests) == 1)
        second.send(get(origin, "/a"))
        await workers.until_waiting()
        assert workers.service.lease_client is not None
        await workers.service.lease_client.close()
        await until(lambda: len(origin.requests) == 2)
        pages.open.set()
        assert (await second.response()).status == 200

    run(conversation, pages)


def test_a_stale_copy_is_validated_by_one_worker(run: Callable[..., None]) -> None:
    pages = Pages(STALE)
    pages.open.set()

    async def conversation(workers: Workers, origin: RawOrigin) -> None:
        first, second = await learn(workers, origin)
        await first.fetch(get(origin, "/a"))
        await workers.until_written()
        assert (await second.fetch(get(origin, "/a"))).status == 203
        for worker in (workers, workers.second):
            worker.clock.advance(10)
        pages.open.clear()
        pages.response = CONFIRMED
        for client in (first, second):
            client.send(get(origin, "/a"))
        await workers.until_waiting()
        pages.open.set()
        assert [(await client.response()).status for client in (first, second)] == [203, 203]
        assert len(origin.requests) == 2

    run(conversation, pages)


def test_a_copy_that_is_validated_before_each_use_needs_no_lease(run: Callable[..., None]) -> None:
    pages = Pages(NO_CACHE)
    pages.open.set()

    async def conversation(workers: Workers, origin: RawOrigin) -> None:
        first, second = await learn(workers, origin)
        await first.fetch(get(origin, "/a"))
        await workers.until_written()
        pages.open.clear()
        pages.response = CONFIRMED.replace(b"max-age=60", b"no-cache")
        for client in (first, second):
            client.send(get(origin, "/a"))
        await until(lambda: len(origin.requests) == 3)
        assert not len(workers.server.table)
        pages.open.set()
        assert [(await client.response()).status for client in (first, second)] == [203, 203]

    run(conversation, pages)
