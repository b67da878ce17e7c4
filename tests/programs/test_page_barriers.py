"""The pages are for everybody: axe-core finds nothing serious in any view, in both themes, narrow and wide."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fixtures.admin_client import admin_of
from tests.fixtures.proxy_process import Proxy
from tests.programs.barriers import barriers
from tests.programs.devtools import Page, browser_page
from tests.programs.page_visits import look, overflows, shows

LOOKS = [(320, "light"), (320, "dark"), (900, "light"), (1280, "light"), (1280, "dark")]

pytestmark = pytest.mark.parametrize(("width", "theme"), LOOKS)


def found_at(url: str, width: int, theme: str, folder: Path) -> list[str]:
    """Return the barriers of a page that is shown without a click."""

    async def looking() -> list[str]:
        async with browser_page(folder / "profile") as page:
            await page.resize(width, 800)
            await page.use_theme(theme)
            await page.open(url)
            await page.shows("document.readyState === 'complete' && document.querySelector('h1') !== null")
            assert not await overflows(page)
            return await barriers(page)

    return asyncio.run(looking())


def test_every_view_and_the_drawer(used: Proxy, width: int, theme: str, tmp_path: Path) -> None:
    async def viewing(page: Page) -> None:
        await page.resize(width, 800)
        await page.use_theme(theme)
        found = {}
        views = await page.value("[...document.querySelectorAll('nav a:not([hidden])')].map((each) => each.hash)")
        assert isinstance(views, list)
        assert len(views) > 5
        for view in views:
            await page.value(f"document.querySelector('nav a[href=\"{view}\"]').click()")
            await page.value("document.querySelectorAll('details').forEach((each) => (each.open = true))")
            await page.shows(f"document.querySelector('{view}').innerText.length > 100")
            found[view] = await barriers(page)
            assert not await overflows(page), view
        await page.value("location.hash = 'live'")
        await shows(page, "#live-list", "/static/59")
        copied = (
            "[...document.querySelectorAll('#live-list button')].find((each) => each.innerText.includes('/static/'))"
        )
        await page.value(f"{copied}.click()")
        await shows(page, "#why-content", "A request now would get the copy.")
        await page.value("document.querySelector('.preview button').click()")
        await page.shows("document.querySelector('.preview pre') !== null")
        found["why"] = await barriers(page)
        assert {view: some for view, some in found.items() if some} == {}

    look(used, tmp_path, viewing)


def test_the_page_without_its_token(used: Proxy, width: int, theme: str, tmp_path: Path) -> None:
    assert found_at(f"http://127.0.0.1:{admin_of(used).port}/page/", width, theme, tmp_path) == []


def test_the_set_up_page(used: Proxy, width: int, theme: str, tmp_path: Path) -> None:
    assert found_at(used.url, width, theme, tmp_path) == []


def test_the_report(used: Proxy, width: int, theme: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    used.run("report", "--out", str(file))
    assert found_at(file.as_uri(), width, theme, tmp_path) == []
