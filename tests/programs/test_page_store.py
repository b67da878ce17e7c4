"""The browser of stored responses in the page: lists that come in several parts, and samples of a shared store."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fixtures.proxy_process import Proxy
from tests.programs.devtools import Page
from tests.programs.page_visits import answer, fill, go, look, shows


async def put_before(page: Page, reply: dict[str, object]) -> None:
    """Let the next list have a part before those of the proxy."""
    await page.value("window.lists = () => paths.filter((each) => each.includes('/entries')); true")
    made = f"Promise.resolve(Response.json({json.dumps(reply)}))"
    await answer(page, made, "path.includes('/entries') && lists().length === 1")


def entry(url: str) -> dict[str, object]:
    """Return a fresh response as the admin API lists it."""
    head = {"url": url, "method": "GET", "status": 200, "size": 750, "state": "fresh"}
    return head | {"age": 1, "lifetime": 60, "stored_at": 1, "last_used": 1, "sha256": "0" * 64}


def test_a_list_goes_on_until_there_are_enough(used: Proxy, tmp_path: Path) -> None:
    async def searching(page: Page) -> None:
        await go(page, "store")
        await shows(page, "#store-list", "/static/00")
        await put_before(page, {"entries": [], "next": "http://", "sample": False})
        await fill(page, "store-form", pattern="/static/0")
        await shows(page, "#store-list", "/static/09")
        assert "after=http%3A%2F%2F" in str(await page.value("lists()[1]"))
        assert await page.value("document.querySelector('#store-next').hidden") is True
        assert await page.value("document.querySelector('#store-list').ariaBusy") == "false"

    look(used, tmp_path, searching)


def test_a_list_that_finds_nothing_says_so(used: Proxy, tmp_path: Path) -> None:
    async def searching(page: Page) -> None:
        await go(page, "store")
        await fill(page, "store-form", pattern="/nothing-like-this")
        await shows(page, "#store-list", "Nothing that is stored fits.")

    look(used, tmp_path, searching)


def test_a_sample_says_that_it_is_one(used: Proxy, tmp_path: Path) -> None:
    async def seeing(page: Page) -> None:
        await go(page, "store")
        await shows(page, "#store-list", "/static/00")
        await put_before(page, {"entries": [entry("http://a.example/")], "next": None, "sample": True})
        await fill(page, "store-form", pattern="a.example")
        await shows(page, "#store-list", "Of the first 5,000 responses that were found")
        await shows(page, "#store-list", "GET http://a.example/")

    look(used, tmp_path, seeing)


def test_a_long_url_breaks_no_word_of_the_other_columns(used: Proxy, tmp_path: Path) -> None:
    tops = "const range = document.createRange(); range.selectNodeContents(cell);"
    tops += " return new Set([...range.getClientRects()].map(({top}) => top)).size"

    async def seeing(page: Page) -> None:
        await page.resize(900, 800)
        await go(page, "store")
        await shows(page, "#store-list", "/static/00")
        await put_before(page, {"entries": [entry(f"http://a.example/{'long' * 40}")], "next": None, "sample": False})
        await fill(page, "store-form", pattern="a.example")
        await shows(page, "#store-list", "GET http://a.example/")
        for label in ("State", "Last used"):
            cell = f"document.querySelector('#store-list td[data-label=\"{label}\"]')"
            assert await page.value(f"((cell) => {{{tops}}})({cell})") == 1, label

    look(used, tmp_path, seeing)
