"""The control command `purge`, on a store that is well, damaged or failing."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from addon.config.settings import Settings
from addon.runtime.control import Handler
from addon.service import Service
from cache.stores.base import StoreError
from cache.stores.tiered.store import TieredStore
from tests.fixtures.stored_entries import KEY, new_entry


def run(directory: Path, scenario: Callable[[Service, Handler], Awaitable[None]]) -> None:
    """Run a scenario with a service that has one copy."""

    async def main() -> None:
        service = Service(Settings.model_validate({"store": {"path": str(directory)}}))
        await service.start()
        try:
            own = service.active.own
            assert await own.store.keep(new_entry(), b"body", ()) is None
            await scenario(service, service.purges.handle)
        finally:
            await service.close()

    asyncio.run(asyncio.wait_for(main(), 60))


@pytest.mark.parametrize("arguments", [{"url": KEY}, {"host": "A.example"}, {"all": True}])
def test_a_copy_is_deleted_and_counted(tmp_path: Path, arguments: dict[str, object]) -> None:
    async def scenario(service: Service, purge: Handler) -> None:
        assert (await purge(arguments))["deleted"] == 1
        assert (await purge(arguments))["deleted"] == 0
        assert await service.active.own.store.candidates(KEY) == ()

    run(tmp_path / "store", scenario)


def test_the_log_is_the_one_of_the_settings_in_force(tmp_path: Path) -> None:
    async def scenario(service: Service, purge: Handler) -> None:
        await purge({"url": KEY})
        other = {"store": {"path": str(tmp_path / "store")}, "purge": {"log": str(tmp_path / "other.log")}}
        service.reload(Settings.model_validate(other))
        await purge({"all": True})

    run(tmp_path / "store", scenario)
    logs = [tmp_path / "store" / "purges.log", tmp_path / "other.log"]
    assert [json.loads(log.read_text())["what"] for log in logs] == [f"url {KEY}", "all"]


def test_other_arguments_are_refused(tmp_path: Path) -> None:
    async def scenario(_service: Service, purge: Handler) -> None:
        with pytest.raises(ValueError, match="expected"):
            await purge({"path": "/"})

    run(tmp_path / "store", scenario)


def test_after_a_purge_in_a_removed_store_its_copies_are_not_served(tmp_path: Path) -> None:
    async def scenario(service: Service, purge: Handler) -> None:
        shutil.rmtree(tmp_path / "store")
        assert (await purge({"url": KEY}))["deleted"] == 0
        assert await service.active.own.store.candidates(KEY) == ()

    run(tmp_path / "store", scenario)


def test_a_purge_in_a_damaged_database_ends_with_an_empty_store(tmp_path: Path) -> None:
    async def scenario(service: Service, purge: Handler) -> None:
        store = service.active.own.store
        await store.run(store.sync_store.statistics)  # also writes what is pending
        for name in ("cache.db", "cache.db-wal"):
            with (tmp_path / "store" / name).open("r+b") as file:
                file.write(os.urandom(100_000))
        assert (await purge({"all": True}))["deleted"] == 0
        assert await store.candidates(KEY) == ()

    run(tmp_path / "store", scenario)
    assert (tmp_path / "store" / "damaged-cache.db").exists()


def test_a_purge_that_fails_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise StoreError("attempt to write a readonly database")

    async def scenario(_service: Service, purge: Handler) -> None:
        monkeypatch.setattr(TieredStore, "purge", fail)
        with pytest.raises(ValueError, match="readonly"):
            await purge({"all": True})

    run(tmp_path / "store", scenario)
