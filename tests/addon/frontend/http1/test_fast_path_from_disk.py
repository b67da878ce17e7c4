"""First hits from a store on disk after a restart: the same bytes, counters and log lines, whatever way they take."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from addon.frontend.http1.fast_path import FastPath
from addon.frontend.http1.hot_response import HotResponse
from addon.frontend.http1.response_patterns import ResponsePatterns
from tests.addon.frontend.front_end import FrontEndUnderTest, get, run_conversation
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin

PATHS = [f"/{number}" for number in range(6)]
PAGE_SIZE = 40


async def unlike_pages(peer: Peer) -> None:
    """Answer every request with a page of its own, whose head is like the others' but for its values."""
    while True:
        path = (await peer.request()).split(b" ")[1]
        page = path * (PAGE_SIZE // 2)
        fields = b'ETag: "%b"\r\nDate: Mon, 23 Nov 2026 11:59:5%b GMT\r\nCache-Control: max-age=600\r\n' % (
            page,
            path[1:],
        )
        await peer.send(HEAD + fields + b"Content-Length: %d\r\n\r\n%b" % (len(page), page))


class Restarted:
    """A proxy whose store was filled by an earlier process."""

    def __init__(self, directory: Path) -> None:
        self.database, self._log = directory / "store" / "cache.db", directory / "access.log"
        self._tables: dict[str, Any] = {"store": {"kind": "disk", "path": str(directory / "store")}}
        self._requests: list[bytes] = []
        run_conversation(self._fill, unlike_pages, **self._tables)
        self._tables["log"] = {"access": str(self._log)}

    async def _fill(self, front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        self._requests = [get(origin, path) for path in PATHS]
        for request in self._requests:
            await client.fetch(request)

    def responses(self) -> tuple[list[bytes], dict[str, int], list[str]]:
        """Ask for each page twice. Return the responses, the counters, and the access log without its times."""
        received: list[bytes] = []
        counters: dict[str, int] = {}

        async def conversation(front_end: FrontEndUnderTest, _origin: RawOrigin) -> None:
            client = await front_end.client()
            for request in (*self._requests, *self._requests):
                client.send(request)
                received.append(await client.head() + await client.read(PAGE_SIZE))
            counters.update(front_end.service.counters.snapshot())
            assert front_end.connections.log
            await front_end.connections.log.close()

        run_conversation(conversation, unlike_pages, **self._tables)
        lines = [line.partition('"')[2] for line in self._log.read_text().splitlines()]
        self._log.unlink()
        return received, counters, lines


@pytest.fixture
def restarted(tmp_path: Path) -> Restarted:
    return Restarted(tmp_path)


def test_first_hits_by_a_pattern_are_those_of_the_engine_and_of_the_handler(
    restarted: Restarted, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_pattern = spy_on_patterns(monkeypatch)
    first = restarted.responses()
    assert len(by_pattern) == len(PATHS) - 1  # all but the one that leaves the pattern
    monkeypatch.setattr(ResponsePatterns, "learn", lambda *_: None)
    assert restarted.responses() == first
    monkeypatch.setattr(FastPath, "prepare", lambda *_, **__: None)
    assert restarted.responses() == first
    assert len(by_pattern) == len(PATHS) - 1
    assert [response.partition(b" ")[2][:3] for response in first[0]] == [b"203"] * 2 * len(PATHS)


def spy_on_patterns(monkeypatch: pytest.MonkeyPatch) -> list[HotResponse]:
    """Return the list to which the hot responses by patterns are added."""
    made: list[HotResponse] = []
    original = ResponsePatterns.hot_response

    def hot_response(*arguments: Any, **options: Any) -> HotResponse | None:
        hot = original(*arguments, **options)
        made.extend([hot] if hot else [])
        return hot

    monkeypatch.setattr(ResponsePatterns, "hot_response", hot_response)
    return made


def test_a_damaged_body_is_fetched_again(restarted: Restarted, monkeypatch: pytest.MonkeyPatch) -> None:
    by_pattern = spy_on_patterns(monkeypatch)
    with closing(sqlite3.connect(restarted.database)) as connection, connection:
        connection.execute("UPDATE Cache SET value = zeroblob(length(value)) WHERE tag LIKE '%/3'")
    responses, _, _ = restarted.responses()
    assert len(by_pattern) == len(PATHS) - 2
    assert responses[3].startswith(b"HTTP/1.1 502 ")  # the origin of the first process is gone
