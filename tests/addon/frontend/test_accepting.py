"""Accepting clients on sockets that several workers share."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator

import pytest

from addon.frontend import accepting
from addon.frontend.accepting import Accepting
from addon.frontend.connection_shares import ConnectionShares
from addon.runtime.event_loop import run
from tests.fixtures.until import until

WORKERS = 2


class Worker(asyncio.Protocol):
    """A worker, which keeps all connections open."""

    def __init__(self, shares: ConnectionShares, number: int) -> None:
        self.accepting = Accepting(lambda _: lambda: self)
        self.accepting.share = shares.of(number, 1)
        self.connections: list[asyncio.BaseTransport] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.connections.append(transport)
        self.accepting.note_accepted(len(self.connections))

    def stop(self) -> None:
        self.accepting.stop()
        for transport in self.connections:
            transport.close()


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as bound:
        bound.setblocking(False)
        yield bound


def tell_of(worker: Worker) -> None:
    """Let the other worker know of one that accepts nothing yet."""
    assert worker.accepting.share is not None
    worker.accepting.share.publish(0)


def run_conversation(
    listening: socket.socket, conversation: Callable[[list[Worker], list[socket.socket]], Awaitable[None]]
) -> None:
    """Run a conversation with two workers, for which 64 clients wait already."""

    async def main() -> None:
        shares = ConnectionShares()
        workers = [Worker(shares, number) for number in range(WORKERS)]
        clients = [socket.create_connection(listening.getsockname()) for _ in range(64)]
        try:
            async with asyncio.timeout(60):
                await conversation(workers, clients)
        finally:
            for worker in workers:
                worker.stop()
            for client in clients:
                client.close()

    run(main())


def test_connections_opened_at_once_are_shared_by_the_workers(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "PAUSE", 1.0)  # longer than a busy machine takes to start the second worker

    async def conversation(workers: list[Worker], clients: list[socket.socket]) -> None:
        first, second = workers
        tell_of(second)
        await first.accepting.start([listening])
        for _ in range(10 * len(clients)):  # the first one could accept all of them
            await asyncio.sleep(0)
        await second.accepting.start([listening])
        await until(lambda: sum(len(worker.connections) for worker in workers) == len(clients))
        assert min(len(worker.connections) for worker in workers) >= len(clients) // 4

    run_conversation(listening, conversation)


def test_a_worker_takes_all_connections_if_the_others_take_none(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "PAUSE", 0.001)

    async def conversation(workers: list[Worker], clients: list[socket.socket]) -> None:
        first, hanging = workers
        tell_of(hanging)
        await first.accepting.start([listening])
        await until(lambda: len(first.connections) == len(clients))

    run_conversation(listening, conversation)


def test_a_worker_that_stops_in_a_pause_accepts_no_more(listening: socket.socket) -> None:
    async def conversation(workers: list[Worker], clients: list[socket.socket]) -> None:
        first, hanging = workers
        tell_of(hanging)
        await first.accepting.start([listening])
        await until(lambda: len(first.connections) > 1)
        first.accepting.stop()
        before = len(first.connections)
        await hanging.accepting.start([listening])
        await until(lambda: len(hanging.connections) + before >= len(clients) - 1)
        assert len(first.connections) <= before + 1  # one may have been accepted already

    run_conversation(listening, conversation)
