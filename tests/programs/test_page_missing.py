"""The list of what is missing offline, on the page: its URLs are fetched one by one or all at once."""

from __future__ import annotations

from pathlib import Path

from tests.fixtures.admin_client import admin_of, visit
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin
from tests.programs.devtools import Page
from tests.programs.page_visits import HOSTILE, look, shows, text_of


def test_what_is_missing_is_fetched_now(tmp_path: Path, origin: Origin) -> None:
    urls = [serve_page(origin, f"/{number}") for number in range(8)]
    secret = serve_page(origin, f"/{HOSTILE}", fields={"Cache-Control": "no-store"})
    (tmp_path / "proxy").mkdir()
    with Proxy(tmp_path / "proxy", settings={"ORIGIN__PROXY": "none", "CACHE__MODE": "offline"}) as proxy:
        for url in [*urls, secret]:
            visit(proxy, url)

        async def fetching(page: Page) -> None:
            await shows(page, "#missing", "They can be fetched when the mode is Online or Auto.")
            assert await page.value("document.querySelectorAll('#missing button').length") == 0
            await page.value("document.querySelector('[data-mode=auto]').click()")
            await page.shows("document.querySelector('#missing button') !== null")
            await page.value("document.querySelector('#missing button').click()")
            await shows(page, "#missing-progress", "1 URL fetched.")
            await shows(page, "#missing", "8\u00a0URLs")
            assert await page.value("document.activeElement.id") == "missing-title"
            assert admin_of(proxy).get("/missing").json["urls"] == [*urls[1:], secret]
            await page.value("[...document.querySelectorAll('#missing button')].at(-1).click()")
            await shows(page, "#missing-progress", "7 URLs fetched, 1 not.")
            await shows(page, "#missing", "1\u00a0URL")
            left = str(await page.value(text_of("#missing")))
            assert (
                f"/{HOSTILE}\nNot kept: the origin says no-store. This would change it: the origin leaves out" in left
            )
            assert await page.value("window.hacked") is None

        look(proxy, tmp_path, fetching)
