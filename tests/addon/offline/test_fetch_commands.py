"""The control commands that list what is still missing, and fetch it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from addon.config.settings import Settings
from addon.offline.miss_queue import MissQueue
from addon.offline.wanted import Wanted
from addon.recordings.library import RecordingLibrary
from addon.service import Service
from cache.http.messages import Fields
from cache.rules.key import request_for
from cache.rules.stored_response import StoredResponse
from cache.stores.base import StoreError
from tests.addon.offline.running_service import with_service
from tests.addon.recordings.libraries import record_all_kinds
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Exchange, Origin

type Command = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


def with_commands(tmp_path: Path, scenario: Callable[[Command, Service], Awaitable[None]]) -> None:
    """Run a scenario with the control commands of a service."""
    content = {"store": {"path": str(tmp_path)}, "origin": {"proxy": "none"}}

    async def run(service: Service) -> None:
        async def command(name: str, /, **arguments: object) -> dict[str, Any]:
            return await service.commands[name](arguments)

        await scenario(command, service)

    with_service(Settings.model_validate(content), run)


async def miss(command: Command, service: Service, url: str, *fields: tuple[str, str]) -> None:
    """Ask for a URL while the proxy is offline, and then be online again."""
    await command("mode", mode="offline")
    reply = await service.active.current.responder.respond(request_for(url, Fields(fields)))
    assert reply.head.status == 504
    await command("mode", mode="auto")


def test_a_missed_url_is_listed_until_it_is_fetched(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/page")

    async def scenario(command: Command, service: Service) -> None:
        await miss(command, service, url)
        assert (await command("still-missing"))["urls"] == [url]
        assert await command("fetch-missing", url=url) == {
            "url": url,
            "status": 200,
            "size": 5,
            "problem": None,
            "remedy": None,
        }
        assert (await command("still-missing"))["urls"] == []
        assert MissQueue(tmp_path).all() == []
        await command("purge", all=True)
        assert (await command("still-missing"))["urls"] == [url]

    with_commands(tmp_path, scenario)


def test_a_url_that_a_client_has_fetched_meanwhile_is_not_listed(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/page")

    async def scenario(command: Command, service: Service) -> None:
        await miss(command, service, url)
        await command("fetch", uri=url, fields=[], digest=None, read=False)
        assert (await command("still-missing"))["urls"] == []

    with_commands(tmp_path, scenario)


def test_the_variant_is_fetched_that_was_missed(tmp_path: Path, origin: Origin) -> None:
    def answer(exchange: Exchange) -> None:
        fields = {"Vary": "Accept-Language", "Cache-Control": "max-age=60"}
        exchange.reply(200, exchange.headers.get("Accept-Language", "none").encode(), fields)

    url = origin.offer("/page", answer)

    async def scenario(command: Command, service: Service) -> None:
        await command("fetch", uri=url, fields=[["Accept-Language", "en"]], digest=None, read=False)
        await miss(command, service, url, ("Accept-Language", "de"))
        assert (await command("still-missing"))["urls"] == [url]
        await command("fetch-missing", url=url)
        assert (await command("still-missing"))["urls"] == []
        assert origin.requests[-1].fields["accept-language"] == "de"

    with_commands(tmp_path, scenario)


def test_what_was_missing_before_a_restart_is_listed(tmp_path: Path) -> None:
    MissQueue(tmp_path).add(Wanted("http://a.test/before"))

    async def scenario(command: Command, _service: Service) -> None:
        assert (await command("still-missing"))["urls"] == ["http://a.test/before"]

    with_commands(tmp_path, scenario)


def test_the_reason_is_given_when_the_response_is_not_stored(tmp_path: Path, origin: Origin) -> None:
    secret = serve_page(origin, "/secret", fields={"Cache-Control": "no-store"})
    gone = serve_page(origin, "/gone", status=410)

    async def scenario(command: Command, service: Service) -> None:
        for url in (secret, gone):
            await miss(command, service, url)
        told = await command("fetch-missing", url=secret)
        assert told["problem"] == "not kept: the origin says no-store"
        assert told["remedy"]
        assert (await command("fetch-missing", url=gone))["problem"] == "the origin says 410 Gone"
        assert [each.uri for each in MissQueue(tmp_path).all()] == [secret]

    with_commands(tmp_path, scenario)


def test_nothing_is_fetched_while_no_origin_may_be_asked(tmp_path: Path) -> None:
    record_all_kinds(RecordingLibrary(tmp_path / "recordings"), "a")

    async def scenario(command: Command, _service: Service) -> None:
        await command("mode", mode="offline")
        with pytest.raises(ValueError, match="the proxy is offline, so no origin is asked"):
            await command("fetch-missing", url="http://a.test/")
        await command("replay", name="a")
        with pytest.raises(ValueError, match="a is being replayed, so no origin is asked"):
            await command("fetch-missing", url="http://a.test/")

    with_commands(tmp_path, scenario)


def test_a_replay_lists_what_the_recording_does_not_have(tmp_path: Path) -> None:
    record_all_kinds(RecordingLibrary(tmp_path / "recordings"), "a")
    MissQueue(tmp_path).add(Wanted("http://a.test/queued"))

    async def scenario(command: Command, service: Service) -> None:
        await command("replay", name="a")
        for name in ("binary", "none"):
            await service.active.current.responder.respond(request_for(f"http://a.test/{name}"))
        assert (await command("still-missing"))["urls"] == ["http://a.test/none"]

    with_commands(tmp_path, scenario)


def test_a_store_that_cannot_be_read_answers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    MissQueue(tmp_path).add(Wanted("http://a.test/queued"))
    MissQueue(tmp_path).add(Wanted("no URL"))

    async def scenario(command: Command, service: Service) -> None:
        def fail(_key: str) -> None:
            raise StoreError("the disk is broken")

        monkeypatch.setattr(service.store, "candidates", fail)
        assert (await command("still-missing"))["urls"] == ["http://a.test/queued", "no URL"]

    with_commands(tmp_path, scenario)


def test_many_urls_are_looked_up_in_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = [f"http://a.test/{number}" for number in range(60)]
    for url in urls[:40]:
        MissQueue(tmp_path).add(Wanted(url))

    async def scenario(command: Command, service: Service) -> None:
        store = service.active.current.store
        look_up, run = store.sync_store.candidates, store.run
        looked_up: list[list[str]] = []  # in each call on a thread of the store

        def noted(key: str) -> Sequence[StoredResponse]:
            looked_up[-1].append(key)
            return look_up(key)

        async def noted_run(call: Callable[..., object], *arguments: object) -> object:
            looked_up.append([])
            return await run(call, *arguments)

        for url in urls[20:]:
            await miss(command, service, url)
        monkeypatch.setattr(store.sync_store, "candidates", noted)
        monkeypatch.setattr(store, "run", noted_run)
        assert (await command("still-missing"))["urls"] == urls
        assert [len(keys) for keys in looked_up if keys] == [25, 25, 10]

    with_commands(tmp_path, scenario)


def test_the_urls_of_the_queue_are_collected_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []

    class NotedWanted(Wanted):
        def __getattribute__(self, name: str) -> object:
            if name == "uri":
                reads.append(name)
            return super().__getattribute__(name)

    async def scenario(command: Command, service: Service) -> None:
        urls = [f"http://a.test/{number}" for number in range(30)]
        for url in urls:
            await miss(command, service, url)
        monkeypatch.setattr(MissQueue, "all", lambda _queue: [NotedWanted(f"{url}?queued") for url in urls])
        assert len((await command("still-missing"))["urls"]) == 60
        assert len(reads) < 30 * 10

    with_commands(tmp_path, scenario)


@pytest.mark.parametrize("arguments", [{}, {"url": 1}, {"url": "http://a.test/", "other": 1}])
def test_other_arguments_are_refused(tmp_path: Path, arguments: dict[str, object]) -> None:
    async def scenario(command: Command, _service: Service) -> None:
        with pytest.raises(ValueError, match='expected "url"'):
            await command("fetch-missing", **arguments)

    with_commands(tmp_path, scenario)
