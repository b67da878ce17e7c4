"""Recordings on the page: replayed from the head, and compared with each other and with the origin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.admin_client import admin_of, visit
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin
from tests.programs.barriers import look_narrow_and_wide
from tests.programs.devtools import Page
from tests.programs.page_reader import Reader, ask
from tests.programs.page_visits import HOSTILE, fill, go, look, overflows, shows, text_of

KEPT = {"Cache-Control": "no-store"}

BEFORE = f"before-{'x' * 57}"
"""The name of a recording, as long as it may be."""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, origin: Origin) -> Iterator[Proxy]:
    """A proxy with two recordings: of texts, of a picture, and of a page that only one has."""
    with Proxy(tmp_path_factory.mktemp("recorded"), settings={"ORIGIN__PROXY": "none"}) as proxy:
        for name, line, picture in ((BEFORE, b"two", b"\0\1"), ("after", HOSTILE.encode(), b"\0\1\2")):
            proxy.run("record", name)
            visit(proxy, serve_page(origin, "/text", b"one\n%s\nthree\n" % line, KEPT))
            visit(proxy, serve_page(origin, "/picture", picture, KEPT))
            visit(proxy, serve_page(origin, f"/only-{name[:6]}", b"", KEPT))
            proxy.run("record", "--stop")
        yield proxy


async def compare(page: Page, first: str, second: str, ignore: str = "") -> None:
    """Fill in the form, as soon as it offers the recordings, and wait for the result."""
    await go(page, "modes")
    await page.shows("document.querySelector('#diff-form').elements.first.value")
    await fill(page, "diff-form", first=first, second=second, ignore=ignore)
    await page.shows("!document.querySelector('#diff-compare').disabled")


def test_two_recordings_are_compared_side_by_side(recorded: Proxy, origin: Origin, tmp_path: Path) -> None:
    async def comparing(page: Page) -> None:
        await compare(page, BEFORE, "after")
        await shows(page, "#diff-progress", "4 URLs compared.")
        found = str(await page.value(text_of("#diff")))
        assert "Different: 2 responses" in found
        assert f"Only in {BEFORE}: 1 response\nhttp://localhost:{origin.port}/only-before" in found
        assert f"Only in after: 1 response\nhttp://localhost:{origin.port}/only-after" in found
        await page.value("document.querySelectorAll('#diff details').forEach((each) => (each.open = true))")
        found = str(await page.value(text_of("#diff")))
        assert f"2 changed\ttwo\t{HOSTILE}" in found
        assert "content\t2 bytes, sha256" in found
        assert "The contents are not both texts." in found
        assert await page.value("window.hacked") is None
        await look_narrow_and_wide(page)

    look(recorded, tmp_path, comparing)


def test_the_page_keeps_no_more_differences_than_it_shows(recorded: Proxy, tmp_path: Path) -> None:
    collecting = """import('./diff.js').then(({ nothingFound, add }) => {
      const found = nothingFound(), changed = Array(50).fill({ in_first: true, in_second: true });
      for (let part = 0; part < 3; part += 1) add(found, { urls: 50, changed, not_compared: [{}] });
      return [found.urls, ...found.kinds.flatMap(({ count, first }) => [count, first.length])];
    })"""

    async def comparing(page: Page) -> None:
        assert await page.value(collecting) == [150, 150, 100, 0, 0, 0, 0, 3, 3]

    look(recorded, tmp_path, comparing)


def test_what_has_changed_since_the_recording(recorded: Proxy, origin: Origin, tmp_path: Path) -> None:
    """The question has its answer within two clicks, with what the form has from the beginning."""
    serve_page(origin, "/only-after", b"", KEPT, 410)

    async def find(reader: Reader) -> None:
        await reader.open("modes")
        await reader.page.shows("document.querySelector('#diff-form').elements.first.value")
        await reader.click("#diff-compare", "Compare")
        await reader.sees("#diff", f"http://localhost:{origin.port}/only-after", "status")
        assert reader.clicks == 2

    ask(recorded, tmp_path, find)


def test_a_recording_is_compared_with_the_origin(recorded: Proxy, origin: Origin, tmp_path: Path) -> None:
    for target, content in (("/text", b"one\ntwo\nthree\n"), ("/picture", b"\0\1"), ("/only-before", b"")):
        serve_page(origin, target, content, KEPT | {"X-Request-Id": "1"})

    async def comparing(page: Page) -> None:
        await compare(page, BEFORE, "", "server, x-request-id")
        await shows(page, "#diff-progress", "3 URLs compared. There is no difference.")
        assert await page.value(text_of("#diff")) == ""
        await compare(page, BEFORE, "", "no name:")
        await shows(page, "#diff-progress", "ignore.1: expected the name of a field")
        admin_of(recorded).send("PUT", "/modes", {"mode": "offline"})
        await compare(page, BEFORE, "")
        await shows(page, "#diff-progress", "the proxy is offline, so no origin is asked")
        admin_of(recorded).send("PUT", "/modes", {"mode": "auto"})

    look(recorded, tmp_path, comparing)


def test_a_recording_is_replayed_from_the_head(recorded: Proxy, tmp_path: Path) -> None:
    async def replaying(page: Page) -> None:
        await page.shows("!document.querySelector('#replay').hidden")
        await shows(page, "#replay", "Replay…")
        await page.value("document.querySelector('#replay').click()")
        await page.shows("document.querySelector('#replays').matches(':popover-open')")
        await page.value("[...document.querySelectorAll('#replays button')].at(-1).click()")
        await shows(page, "#replay", f"Replay {BEFORE}")
        await page.shows("document.querySelector('#replay').ariaPressed === 'true'")
        assert admin_of(recorded).get("/modes").json["mode"] == "replay"
        await page.resize(320, 800)
        assert not await overflows(page)
        assert not await page.value("document.querySelector('#replays').matches(':popover-open')")
        await page.value("document.querySelector('[data-mode=auto]').click()")
        await page.shows("document.querySelector('[data-mode=auto]').ariaPressed === 'true'")
        assert admin_of(recorded).get("/modes").json["mode"] == "auto"

    look(recorded, tmp_path, replaying)


def test_the_only_recording_is_replayed_by_one_click(tmp_path: Path) -> None:
    (tmp_path / "proxy").mkdir()
    with Proxy(tmp_path / "proxy") as proxy:

        async def replaying(page: Page) -> None:
            assert await page.value("document.querySelector('#replay').hidden")
            proxy.run("record", "demo")
            await page.shows("document.querySelector('[data-mode=auto]').ariaPressed === 'true'")
            proxy.run("record", "--stop")
            await go(page, "modes")
            await shows(page, "#replay", "Replay demo")
            await page.value("document.querySelector('#replay').click()")
            await page.shows("document.querySelector('#replay').ariaPressed === 'true'")
            assert admin_of(proxy).get("/modes").json["recording"] == "demo"

        look(proxy, tmp_path, replaying)
