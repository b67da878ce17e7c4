"""The copies of a project count as used whenever it is: projects are evicted one after another."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from pathlib import Path

from addon.config.settings import Settings
from addon.pipeline.project_copies import FOLDER, ProjectCopies
from addon.service import Service
from cache.rules.key import request_for
from tests.fixtures.raw_origin import Peer, RawOrigin

HEAD = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 1000000\r\n\r\n"


async def large(peer: Peer) -> None:
    """Send a megabyte for every request."""
    while True:
        await peer.request()
        await peer.send(HEAD + bytes(1_000_000))


async def fetch_in(project: str, store: Path, port: int, *names: str) -> set[str]:
    """Fetch URLs in a project, as one `secondhand run`; return the names of all that are stored afterwards."""
    settings = {"path": str(store), "max_size": 3_800_000, "max_object": 1_500_000, "project": project}
    service = Service(Settings.model_validate({"store": settings, "origin": {"proxy": "none"}}))
    try:
        for name in names:
            reply = await service.active.current.responder.respond(request_for(f"http://127.0.0.1:{port}/{name}"))
            await service.active.current.responder.in_memory(request_for(f"http://127.0.0.1:{port}/{name}"), reply)
        await service.drain()
        return {entry.target.rpartition("/")[2] for entry in service.store.entries()}
    finally:
        await service.close()


def test_the_project_that_was_used_least_recently_is_evicted_first(tmp_path: Path) -> None:
    async def main() -> None:
        async with RawOrigin(large) as origin:
            store, port = tmp_path / "store", origin.port
            assert await fetch_in("a", store, port, "a1", "a2") == {"a1", "a2"}
            assert await fetch_in("b", store, port, "b1") == {"a1", "a2", "b1"}
            assert await fetch_in("a", store, port, "a1") == {"a1", "a2", "b1"}
            # a2 was asked for before b1, but its project was used after that
            assert await fetch_in("c", store, port, "c1") == {"a1", "a2", "c1"}

    asyncio.run(main())


def test_without_a_project_the_least_recently_used_copy_is_evicted_first(tmp_path: Path) -> None:
    async def main() -> None:
        async with RawOrigin(large) as origin:
            store, port = tmp_path / "store", origin.port
            for names in (("a1", "a2"), ("b1",), ("a1",)):
                await fetch_in("", store, port, *names)
            assert await fetch_in("", store, port, "c1") == {"a1", "b1", "c1"}
            assert not (store / FOLDER).exists()

    asyncio.run(main())


def all_but_gone(ids: Collection[str]) -> set[str]:
    return set(ids) - {"dead"}


def touched_by(copies: ProjectCopies) -> list[str]:
    """Return the ids that count as used when the project begins to be used."""
    touched: list[str] = []

    def touch(ids: Collection[str]) -> Collection[str]:
        touched.extend(ids)
        return ids

    copies.begin(touch)
    return touched


def listed(store: Path) -> object:
    [file] = (store / FOLDER).iterdir()
    return json.loads(file.read_bytes())


def test_copies_that_are_gone_leave_the_list_and_others_of_the_same_project_stay(tmp_path: Path) -> None:
    first, second = ProjectCopies(tmp_path, "/p"), ProjectCopies(tmp_path, "/p")
    first.note("aa")
    second.note("dead")
    first.save()
    second.save()
    assert listed(tmp_path) == {"project": "/p", "entries": ["aa", "dead"]}
    third = ProjectCopies(tmp_path, "/p")
    third.begin(all_but_gone)
    third.save()
    fourth = ProjectCopies(tmp_path, "/p")
    assert touched_by(fourth) == ["aa"]


def test_when_the_proxy_ends_meanwhile_the_copies_that_are_not_marked_yet_stay_in_the_list(tmp_path: Path) -> None:
    first, second = ProjectCopies(tmp_path, "/p"), ProjectCopies(tmp_path, "/p")
    for number in range(1_200):
        first.note(f"{number:x}")
    first.save()
    marked: list[str] = []

    def touch(ids: Collection[str]) -> Collection[str]:
        marked.extend(ids)
        second.end()
        return ids

    second.begin(touch)
    second.save()
    assert 0 < len(marked) < 1_200
    assert len(touched_by(ProjectCopies(tmp_path, "/p"))) == 1_200


def test_a_malformed_list_is_an_empty_one(tmp_path: Path) -> None:
    copies = ProjectCopies(tmp_path, "/p")
    copies.note("aa")
    copies.save()
    [file] = (tmp_path / FOLDER).iterdir()
    for content in (b"\xff", b"[]", b'{"entries": 1}', b"[" * 100_000):
        file.write_bytes(content)
        assert touched_by(ProjectCopies(tmp_path, "/p")) == []
    file.write_text('{"entries": ["../x", 1, "ab"]}')
    assert touched_by(ProjectCopies(tmp_path, "/p")) == ["ab"]
