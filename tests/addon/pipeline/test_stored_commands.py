"""Lists of stored responses that a running proxy makes: their parts, their order, and how much is read for one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from addon.pipeline import stored_commands
from addon.pipeline.async_store import AsyncStore
from addon.pipeline.pipeline import Pipeline
from addon.pipeline.stored_commands import StoredCommands
from addon.runtime.counters import Counters
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import Mode
from cache.stores.base import ResponseStore, StoreError
from cache.stores.memory import MemoryStore
from tests.fixtures.stored_entries import new_entry, put

NOW = 2000.0


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    store = MemoryStore(1 << 20)
    yield store
    store.close()


def ask(store: ResponseStore, command: str, *, policy: CachePolicy | None = None, **arguments: object) -> Any:
    """Run a command on a store."""

    async def run() -> object:
        own = AsyncStore(store, Counters())
        pipeline = cast("Pipeline", SimpleNamespace(store=own, policy=policy or CachePolicy()))
        return await StoredCommands(pipeline, lambda: NOW).handlers()[command](arguments)

    return asyncio.run(run())


def urls(reply: Any) -> list[str]:
    return [entry["url"] for entry in reply["entries"]]


def test_the_parts_of_a_list_have_every_response_once_and_variants_stay_together(store: MemoryStore) -> None:
    keys = [f"http://a.example/{number:03}" for number in range(60)]
    for key in keys:
        put(store, new_entry(key))
    put(store, new_entry(keys[9]))
    found, after = list[str](), ""
    sizes = []
    while True:
        part = ask(store, "entries", limit=10, **({"after": after} if after else {}))
        sizes.append(len(part["entries"]))
        found += urls(part)
        if part["next"] is None:
            break
        after = part["next"]
    assert found == sorted([*keys, keys[9]])
    assert sizes == [11, 10, 10, 10, 10, 10]


def test_a_part_ends_after_so_many_were_read_even_if_none_was_found(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_commands, "MAX_READ", 30)
    for number in range(60):
        put(store, new_entry(f"http://a.example/{number:03}"))
    put(store, new_entry("http://b.example/"))
    part = ask(store, "entries", host="b.example")
    assert (urls(part), part["next"]) == ([], "http://a.example/029")
    part = ask(store, "entries", host="b.example", after=part["next"])
    assert (urls(part), part["next"]) == ([], "http://a.example/059")
    part = ask(store, "entries", host="b.example", after=part["next"])
    assert (urls(part), part["next"]) == (["http://b.example/"], None)


def test_other_orders_are_those_of_all_responses(store: MemoryStore) -> None:
    for number in range(60):
        put(store, new_entry(f"http://a.example/{number:03}"), (number * 7) % 60)
    part = ask(store, "entries", sort="size", limit=3)
    assert [entry["size"] for entry in part["entries"]] == [59, 58, 57]
    assert part["next"] is not None


@pytest.mark.parametrize(
    "arguments", [{"sort": "colour"}, {"state": "odd"}, {"limit": "many"}], ids=["sort", "state", "limit"]
)
def test_invalid_arguments_are_refused(arguments: dict[str, object], store: MemoryStore) -> None:
    with pytest.raises(ValueError, match=str(next(iter(arguments.values())))):
        ask(store, "entries", **arguments)


def test_all_variants_of_a_url_are_shown(store: MemoryStore) -> None:
    put(store, new_entry("http://a.example/"))
    put(store, new_entry("http://a.example/"))
    shown = ask(store, "show", url="http://A.example")
    assert [variant["url"] for variant in shown["variants"]] == ["http://a.example/"] * 2
    assert [capture["current"] for capture in shown["captures"]] == [True, True]
    assert ask(store, "show", url="http://b.example/") == {"variants": [], "captures": []}
    with pytest.raises(ValueError, match="expected a URL"):
        ask(store, "show", url="nothing")


def test_a_store_that_cannot_be_read_is_an_error_with_its_reason(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise StoreError("the disk is gone")

    monkeypatch.setattr(store, "statistics", fail)
    with pytest.raises(ValueError, match="the disk is gone"):
        ask(store, "contents")


def test_the_line_of_a_copy_has_no_end_while_its_host_is_offline(store: MemoryStore) -> None:
    put(store, new_entry("http://a.example/", vary=()))
    modes = ((re.compile("a[.]example"), Mode.OFFLINE),)
    policy = replace(CachePolicy(), network=replace(CachePolicy().network, host_modes=modes))
    (shown,) = ask(store, "show", policy=policy, url="http://a.example/")["variants"]
    assert [(each["use"], each["end"]) for each in shown["time_line"]["segments"]] == [("without-origin", None)]
