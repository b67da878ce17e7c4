"""The lease client with a real server, with one that hangs, and with none."""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from addon.runtime.leases import client as client_module
from addon.runtime.leases.answers import Answer, LeaseName
from addon.runtime.leases.client import Lease, LeaseClient
from addon.runtime.leases.frames import Result, ask
from addon.runtime.leases.server import LeaseServer
from tests.fixtures.until import until

NAME = LeaseName("http://a.example/", b"n" * 16)
LIMIT = 60.0
SHORT = 0.01
"""Seconds: a limit that is to pass."""


class Asked:
    """One ask, and the answer to it."""

    def __init__(self, client: LeaseClient, *, limit: float = LIMIT) -> None:
        self.answers: list[tuple[Answer, int]] = []
        self._answered = asyncio.Event()
        self.lease: Lease = client.ask(NAME, limit, self._answer)
        assert not self.answers, "an answer must not come before the ask returns"

    def _answer(self, answer: Answer, seconds: int) -> None:
        self.answers.append((answer, seconds))
        self._answered.set()

    async def answer(self) -> tuple[Answer, int]:
        await self._answered.wait()
        (answer,) = self.answers
        return answer


@asynccontextmanager
async def workers(path: Path, count: int = 2) -> AsyncIterator[list[LeaseClient]]:
    """Return clients of the server at a path."""
    clients = [LeaseClient(path) for _ in range(count)]
    for client in clients:
        await client.start()
    try:
        yield clients
    finally:
        for client in clients:
            await client.close()


@asynccontextmanager
async def serving(path: Path) -> AsyncIterator[LeaseServer]:
    server = LeaseServer(path.parent)
    server.path = path
    await server.start()
    try:
        yield server
    finally:
        await server.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "leases.sock"


def run(conversation: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(30):
            await conversation()

    asyncio.run(main())


def test_only_the_owner_can_use_the_socket_and_it_is_removed_at_the_end(path: Path) -> None:
    modes = []

    async def conversation() -> None:
        async with serving(path):
            modes.append(path.stat().st_mode)  # noqa: ASYNC240 - nothing else runs in this loop

    run(conversation)
    assert [stat.S_IMODE(mode) for mode in modes] == [0o600]
    assert not path.exists()


def test_the_socket_of_a_server_that_was_killed_is_removed_and_that_of_another_one_is_not(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(tmp_path / "leases-killed.sock"))

    async def conversation() -> None:
        async with serving(tmp_path / "leases-1.sock"), serving(tmp_path / "leases-2.sock"):
            assert sorted(each.name for each in tmp_path.iterdir()) == ["leases-1.sock", "leases-2.sock"]  # noqa: ASYNC240 - nothing else runs in this loop

    run(conversation)


def test_a_path_beyond_the_limit_of_socket_addresses_works(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 120)
    folder.mkdir()

    async def conversation() -> None:
        async with serving(folder / "leases.sock"), workers(folder / "leases.sock", 1) as [worker]:
            assert await Asked(worker).answer() == (Answer.GRANTED, 0)

    run(conversation)


@pytest.mark.parametrize(
    ("result", "answer"),
    [(Result.STORED, (Answer.STORED, 0)), (Result.NOT_SHARED, (Answer.NOT_SHARED, 120)), (Result.PASSED_ON, None)],
)
def test_a_waiting_worker_is_told_how_the_lease_ended(
    path: Path, result: Result, answer: tuple[Answer, int] | None
) -> None:
    async def conversation() -> None:
        async with serving(path), workers(path) as [first, second]:
            held = Asked(first)
            assert await held.answer() == (Answer.GRANTED, 0)
            waiting = Asked(second)
            await until(lambda: held.lease.is_wanted)
            held.lease.end(result, 120 if answer and answer[1] else 0)
            assert await waiting.answer() == (answer or (Answer.GRANTED, 0))

    run(conversation)


def test_the_leases_of_a_worker_whose_connection_ends_are_passed_on(path: Path) -> None:
    async def conversation() -> None:
        async with serving(path), workers(path) as [first, second]:
            held = Asked(first)
            await held.answer()
            waiting = Asked(second)
            await until(lambda: held.lease.is_wanted)
            await first.close()
            assert await waiting.answer() == (Answer.GRANTED, 0)

    run(conversation)


def test_a_worker_waits_no_longer_than_its_limit(path: Path) -> None:
    async def conversation() -> None:
        async with serving(path) as server, workers(path) as [first, second]:
            await Asked(first).answer()
            assert await Asked(second, limit=SHORT).answer() == (Answer.NOT_SHARED, 0)
            await until(lambda: len(server.table) == 1)

    run(conversation)


def test_workers_go_on_alone_when_the_server_ends_and_ask_it_again_when_it_is_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "PAUSE", SHORT)

    async def conversation() -> None:
        async with workers(path) as [first, second]:
            assert not first.is_ready
            async with serving(path):
                await until(lambda: first.is_ready and second.is_ready)
                held = Asked(first)
                await held.answer()
                waiting = Asked(second)
                await until(lambda: held.lease.is_wanted)
            assert await waiting.answer() == (Answer.ALONE, 0)
            held.lease.end(Result.STORED)
            assert not first.is_ready
            async with serving(path):
                await until(lambda: first.is_ready)
                assert await Asked(first).answer() == (Answer.GRANTED, 0)

    run(conversation)


def test_workers_go_on_alone_when_the_server_hangs_and_do_not_ask_it_for_a_while(path: Path) -> None:
    async def conversation() -> None:
        with socket.socket(socket.AF_UNIX) as hanging:
            hanging.bind(str(path))
            hanging.listen()  # connections succeed, and nothing reads from them
            async with workers(path, 1) as [worker]:
                asked = [Asked(worker) for _ in range(3)]
                assert [await each.answer() for each in asked] == [(Answer.ALONE, 0)] * 3
                assert not worker.is_ready

    run(conversation)


def test_a_grant_that_comes_late_is_held_as_long_as_the_fetch_takes(path: Path) -> None:
    async def conversation() -> None:
        async with serving(path) as server, workers(path) as [first, second]:
            late = Asked(first)
            late.lease.answer(Answer.ALONE)  # as if the server had been slow
            waiting = Asked(second)
            await until(lambda: late.lease.is_wanted)
            late.lease.end(Result.STORED)
            assert await waiting.answer() == (Answer.STORED, 0)
            assert not len(server.table)

    run(conversation)


def test_what_is_no_frame_ends_the_connection_of_its_sender_alone(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def conversation() -> None:
        async with serving(path), workers(path, 1) as [worker]:
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"\xff" * 100)
            assert await reader.read() == b""
            writer.close()
            assert await Asked(worker).answer() == (Answer.GRANTED, 0)

    run(conversation)
    assert "disconnected" in caplog.text


def test_frames_that_arrive_in_pieces_are_understood(path: Path) -> None:
    async def conversation() -> None:
        async with serving(path) as server:
            _, writer = await asyncio.open_unix_connection(path)
            frames = [ask(number, LIMIT, bytes([number] * 16)) for number in range(3)]
            for byte in b"".join(frames):
                writer.write(bytes([byte]))
                await writer.drain()
            await until(lambda: len(server.table) == 3)
            writer.close()
            await until(lambda: not len(server.table))

    run(conversation)
