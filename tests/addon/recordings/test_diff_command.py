"""The control command `diff`: two recordings in parts, and a recording beside what its origins answer now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from addon.config.settings import Settings
from addon.recordings import diff_command, live
from addon.recordings.library import RecordingLibrary
from addon.service import Service
from tests.addon.offline.running_service import with_service
from tests.addon.recordings.libraries import put, record_all_kinds
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Exchange, Origin

type Diff = Callable[..., Awaitable[dict[str, Any]]]


def with_diff(tmp_path: Path, scenario: Callable[[Diff, Service], Awaitable[None]]) -> None:
    """Run a scenario with the command of a service whose recordings are in the library of the test."""
    settings = Settings.model_validate({"store": {"path": str(tmp_path / "store")}, "origin": {"proxy": "none"}})

    async def run(service: Service) -> None:
        async def diff(**arguments: object) -> dict[str, Any]:
            return await service.commands["diff"](arguments)

        await scenario(diff, service)

    with_service(settings, run)


def test_two_recordings_are_compared_in_parts(
    tmp_path: Path, library: RecordingLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diff_command, "MAX_URLS", 3)
    for name, content in (("a", b"one"), ("b", b"two")):
        with library.create(name) as store:
            for number in range(7):
                put(store, f"http://a.test/{number}", content if number in (2, 6) else b"same")

    async def scenario(diff: Diff, _service: Service) -> None:
        parts, after = [], ""
        while not parts or parts[-1]["next"] is not None:
            parts.append(await diff(first="a", second="b", after=after))
            after = parts[-1]["next"]
        assert [part["urls"] for part in parts] == [3, 3, 1]
        assert [[each["url"] for each in part["changed"]] for part in parts] == [
            ["http://a.test/2"],
            [],
            ["http://a.test/6"],
        ]
        assert (await diff(first="a", second="a"))["changed"] == []

    with_diff(tmp_path, scenario)


def test_a_part_ends_when_many_responses_differ(
    tmp_path: Path, library: RecordingLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diff_command, "MAX_CHANGED", 2)
    with library.create("a") as store:
        for number in range(3):
            put(store, f"http://a.test/{number}")
    with library.create("b"):
        pass

    async def scenario(diff: Diff, _service: Service) -> None:
        first = await diff(first="a", second="b")
        assert (first["urls"], first["next"]) == (2, "http://a.test/1")
        rest = await diff(first="a", second="b", after=first["next"])
        assert (rest["urls"], rest["next"]) == (1, None)

    with_diff(tmp_path, scenario)


def test_a_recording_is_compared_with_what_the_origin_answers_now(
    tmp_path: Path, library: RecordingLibrary, origin: Origin
) -> None:
    same, other, gone = (f"http://localhost:{origin.port}/{name}" for name in ("same", "other", "gone"))
    with library.create("a") as store:
        put(store, same, b"same", "Server: Test", "Content-Type: text/plain", "Cache-Control: no-store")
        put(store, other, b"one\ntwo\n", "Server: Test")
        put(store, gone, b"here", "Server: Test")
    plain = {"Content-Type": "text/plain", "Cache-Control": "no-store"}
    serve_page(origin, "/same", b"same", plain)
    serve_page(origin, "/other", b"one\nthree\n", {})
    serve_page(origin, "/gone", b"", {}, 404)

    async def scenario(diff: Diff, service: Service) -> None:
        found = await diff(first="a", ignore=["Server"], lines=True)
        assert (found["urls"], found["not_compared"], found["next"]) == (3, [], None)
        changed = {each["url"]: each for each in found["changed"]}
        assert changed.keys() == {other, gone}
        assert {"part": "status", "first": "200", "second": "404"} in changed[gone]["differences"]
        lines = changed[other]["content"]["lines"]
        assert [(line["first"], line["second"]) for line in lines] == [("one", "one"), ("two", "three")]
        assert service.store.candidates(other) == ()
        assert library.names() == ["a"]
        assert [each.name for each in (tmp_path / "store" / "recordings").iterdir()] == ["a"]

    with_diff(tmp_path, scenario)


def test_each_variant_is_asked_for_as_it_was_recorded(
    tmp_path: Path, library: RecordingLibrary, origin: Origin
) -> None:
    def answer(exchange: Exchange) -> None:
        language = exchange.headers["Accept-Language"]
        exchange.reply(200, language.encode(), {"Vary": "Accept-Language"})

    url = origin.offer("/variants", answer)
    with library.create("a") as store:
        for language in ("de", "en"):
            vary = (("accept-language", language),)
            put(store, url, language.encode(), "Vary: Accept-Language", vary=vary)

    async def scenario(diff: Diff, _service: Service) -> None:
        found = await diff(first="a", ignore=["server"])
        assert (found["changed"], found["not_compared"]) == ([], [])

    with_diff(tmp_path, scenario)


def test_what_cannot_be_asked_for_again_is_named(
    tmp_path: Path, library: RecordingLibrary, monkeypatch: pytest.MonkeyPatch, origin: Origin
) -> None:
    monkeypatch.setattr(live, "TIMEOUT", 0.0)
    late = origin.offer("/late", lambda exchange: exchange.reply(200, b"", {}))
    with library.create("a") as store:
        put(store, f"http://localhost:{origin.port}/1", method="POST")
        put(store, f"http://localhost:{origin.port}/2", first=2, complete_length=10)
        put(store, f"http://localhost:{origin.port}/3", vary=(("&cookie", "a-keyed-hash"),))
        put(store, late)

    async def scenario(diff: Diff, _service: Service) -> None:
        found = await diff(first="a")
        assert found["changed"] == []
        assert [each["why"] for each in found["not_compared"]] == [
            "a request with POST is not repeated",
            "only a part of it was recorded",
            "it was recorded for a request with credentials, which a recording does not have",
            "the origin has not answered within 0 seconds",
        ]

    with_diff(tmp_path, scenario)


def test_a_response_that_takes_too_long_is_not_waited_for(
    tmp_path: Path, library: RecordingLibrary, monkeypatch: pytest.MonkeyPatch, origin: Origin
) -> None:
    monkeypatch.setattr(live, "TIMEOUT", 1.0)
    compared, waited_for = Event(), Event()

    def trickle(exchange: Exchange) -> None:
        exchange.begin(200, {"Content-Length": "1000000"})
        exchange.wfile.write(b"x")
        if not compared.wait(20):
            waited_for.set()
        exchange.close_connection = True

    slow = origin.offer("/slow", trickle)
    prompt = serve_page(origin, "/prompt", b"same", {})
    with library.create("a") as store:
        put(store, slow)
        put(store, prompt, b"same")

    async def scenario(diff: Diff, _service: Service) -> None:
        found = await diff(first="a", ignore=["server"])
        compared.set()
        assert not waited_for.is_set()
        assert [(each["url"], each["why"]) for each in found["not_compared"]] == [
            (slow, "the origin has not answered within 1 seconds")
        ]
        assert found["changed"] == []

    with_diff(tmp_path, scenario)


def test_an_origin_that_does_not_answer_is_no_difference(tmp_path: Path, library: RecordingLibrary) -> None:
    with Origin() as closed:
        url = f"http://localhost:{closed.port}/"
    with library.create("a") as store:
        put(store, url)

    async def scenario(diff: Diff, _service: Service) -> None:
        found = await diff(first="a")
        ((only,), changed) = found["not_compared"], found["changed"]
        assert (only["url"], changed) == (url, [])
        assert only["why"]

    with_diff(tmp_path, scenario)


def test_origins_are_not_asked_while_the_proxy_must_not(tmp_path: Path, library: RecordingLibrary) -> None:
    record_all_kinds(library, "a")

    async def scenario(diff: Diff, service: Service) -> None:
        await service.commands["mode"]({"mode": "offline"})
        with pytest.raises(ValueError, match="the proxy is offline, so no origin is asked"):
            await diff(first="a")
        assert (await diff(first="a", second="a"))["changed"] == []
        await service.commands["replay"]({"name": "a"})
        with pytest.raises(ValueError, match="a is being replayed, so no origin is asked"):
            await diff(first="a")

    with_diff(tmp_path, scenario)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"first": "a"}, "there is no recording a; existing recordings: b"),
        ({"first": "b", "second": "a"}, "there is no recording a; existing recordings: b"),
        ({"first": "../b"}, 'expected a name of letters, digits and "-"'),
        ({}, 'expected "first" and perhaps'),
        ({"first": "b", "other": 1}, 'expected "first" and perhaps'),
    ],
)
def test_a_wrong_argument_is_named(
    tmp_path: Path, library: RecordingLibrary, arguments: dict[str, object], problem: str
) -> None:
    record_all_kinds(library, "b")

    async def scenario(diff: Diff, _service: Service) -> None:
        with pytest.raises(ValueError, match=problem):
            await diff(**arguments)

    with_diff(tmp_path, scenario)
