"""The control command `check-lock-file`: it finds in the store what a lock file names, and asks no origin."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from addon.config.settings import Settings
from addon.offline.wanted import Found, Read, Wanted
from addon.service import Service
from addon.warm import check_command
from addon.warm.check_command import lock_file_handler
from cache.rules.stored_response import StoredResponse
from tests.addon.offline.running_service import with_service
from tests.fixtures.lock_files import integrity
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin

type Check = Callable[[str, str], Awaitable[dict[str, Any]]]

CONTENT = b"a tarball"


def with_check(tmp_path: Path, scenario: Callable[[Check, Service], Awaitable[None]]) -> None:
    """Run a scenario with the command of a service."""
    settings = Settings.model_validate({"store": {"path": str(tmp_path / "store")}, "origin": {"proxy": "none"}})

    async def run(service: Service) -> None:
        handle = lock_file_handler(service.active)

        async def check(name: str, content: str) -> dict[str, Any]:
            return await handle({"name": name, "content": content})

        await scenario(check, service)

    with_service(settings, run)


def yarn_lock(*urls: str, content: bytes = CONTENT) -> str:
    return "".join(
        f'p{number}@^1:\n  version "1.0.0"\n  resolved "{url}"\n  integrity {integrity(content)}\n\n'
        for number, url in enumerate(urls)
    )


async def fetch(service: Service, url: str) -> None:
    """Fetch a URL into the store."""
    arguments: dict[str, object] = {"uri": url, "fields": [], "digest": None, "read": False}
    assert not (await service.commands["fetch"](arguments))["problem"]


def test_what_is_stored_is_counted_and_what_is_missing_is_listed(tmp_path: Path, origin: Origin) -> None:
    stored = serve_page(origin, "/stored.tgz", CONTENT)
    missing = serve_page(origin, "/missing.tgz", CONTENT)

    async def scenario(check: Check, service: Service) -> None:
        await fetch(service, stored)
        counted = dict(service.counters.snapshot())
        assert await check("yarn.lock", yarn_lock(stored, missing)) == {
            "name": "yarn.lock",
            "is_readable": True,
            "stored": 1,
            "missing": 1,
            "first_missing": [{"name": missing, "why": "not stored"}],
        }
        assert service.counters.snapshot() == counted
        assert [each.target for each in origin.requests] == ["/stored.tgz"]
        assert service.queue
        assert service.queue.all() == []

    with_check(tmp_path, scenario)


def test_a_content_with_another_digest_is_missing(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a.tgz", CONTENT)

    async def scenario(check: Check, service: Service) -> None:
        await fetch(service, url)
        (missing,) = (await check("yarn.lock", yarn_lock(url, content=b"another")))["first_missing"]
        assert missing == {"name": url, "why": "the content does not have the digest in the lock file"}
        assert service.store.candidates(url)

    with_check(tmp_path, scenario)


def test_a_file_that_cannot_be_read_is_named_without_the_place_of_the_copy(tmp_path: Path) -> None:
    async def scenario(check: Check, _service: Service) -> None:
        found = await check("package-lock.json", "{")
        assert (found["is_readable"], found["stored"], found["missing"]) == (False, 0, 1)
        (problem,) = found["first_missing"]
        assert problem["name"] == "package-lock.json"
        assert problem["why"].startswith("line 1, column 2")

    with_check(tmp_path, scenario)


def test_only_one_file_is_checked_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(check: Check, _service: Service) -> None:
        first = asyncio.create_task(check("yarn.lock", ""))
        await asyncio.sleep(0)
        with pytest.raises(ValueError, match="another lock file is being checked"):
            await check("yarn.lock", "")
        assert (await first)["stored"] == 0
        monkeypatch.setattr(check_command, "TIMEOUT", 0.0)
        with pytest.raises(ValueError, match="the check has not ended within 0 seconds"):
            await check("yarn.lock", "")

    with_check(tmp_path, scenario)


def test_many_missing_items_are_counted_and_the_first_ones_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_command, "MAX_LISTED", 2)

    async def scenario(check: Check, _service: Service) -> None:
        found = await check("yarn.lock", yarn_lock(*(f"http://a.test/{number}" for number in range(5))))
        assert (found["missing"], len(found["first_missing"])) == (5, 2)

    with_check(tmp_path, scenario)


def test_a_proxy_does_other_things_while_it_looks_for_many_urls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def many(_file: Path, _read: Read) -> Found:
        return [Wanted(f"http://a.test/{number}") for number in range(500)]

    monkeypatch.setattr(check_command, "found_in_process", many)

    async def scenario(check: Check, service: Service) -> None:
        store, looked, most = service.active.own.store, 0, 0
        candidates = store.candidates

        async def counted(key: str) -> tuple[StoredResponse, ...]:
            nonlocal looked
            looked += 1
            return await candidates(key)

        monkeypatch.setattr(store, "candidates", counted)
        checking = asyncio.create_task(check("yarn.lock", ""))
        while not checking.done():
            before = looked
            await asyncio.sleep(0)
            most = max(most, looked - before)
        assert (await checking)["missing"] == looked == 500
        assert most <= check_command.JOBS

    with_check(tmp_path, scenario)


@pytest.mark.parametrize("name", ["../yarn.lock", "a/yarn.lock", "", ".."])
def test_a_name_with_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    async def scenario(check: Check, _service: Service) -> None:
        with pytest.raises(ValueError, match="expected the name of a file"):
            await check(name, "")

    with_check(tmp_path, scenario)
