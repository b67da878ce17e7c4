"""The picture of a copy's life in the drawer of the page."""

from __future__ import annotations

from pathlib import Path

from tests.fixtures.admin_client import visit
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin
from tests.programs.devtools import Page
from tests.programs.page_visits import look, open_stored, shows


def test_the_drawer_shows_how_long_a_copy_is_used_for_what(used: Proxy, origin: Origin, tmp_path: Path) -> None:
    control = "max-age=600, stale-while-revalidate=60, stale-if-error=3600"
    visit(used, serve_page(origin, "/living", b"x", {"Cache-Control": control}))

    async def reading(page: Page) -> None:
        await open_stored(page, "/living")
        await shows(page, ".life-parts", "fresh for another 10 min")
        await shows(page, ".life-parts", "(10 min, by max-age)")
        await shows(page, ".life-parts", "stale: it is sent while it is validated, until")
        await shows(page, ".life-parts", "(1 min more, by stale-while-revalidate)")
        await shows(page, ".life-parts", "then: only after the origin has confirmed it")
        assert await page.value("document.querySelectorAll('.life rect').length") == 6

    look(used, tmp_path, reading)


def test_the_drawer_shows_no_end_while_the_proxy_is_offline(origin: Origin, tmp_path: Path) -> None:
    url = serve_page(origin, "/living", b"x", {"Cache-Control": "max-age=600"})

    async def reading(page: Page) -> None:
        await open_stored(page, "/living")
        await shows(page, ".life-parts", "it is sent without the origin, however old it is (by the mode offline)")
        assert "only after" not in str(await page.value("document.querySelector('.life-parts').textContent"))
        assert await page.value("document.querySelectorAll('.life rect').length") == 3

    with Proxy(tmp_path, settings={"ORIGIN__PROXY": "none"}) as proxy:
        visit(proxy, url)
        proxy.run("offline")
        visit(proxy, url)
        look(proxy, tmp_path, reading)
