"""The head of the page: what needs attention, without a click."""

from __future__ import annotations

from pathlib import Path

from tests.fixtures.admin_client import admin_of, visit
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin
from tests.programs.devtools import Page
from tests.programs.page_visits import look, shows, text_of


def test_requests_to_origins_while_offline_are_told(origin: Origin, tmp_path: Path) -> None:
    url = serve_page(origin, "/news", b"x", {"Cache-Control": "no-store"})

    async def watching(page: Page) -> None:
        admin_of(proxy).send("PUT", "/modes", {"mode": "offline"})
        await shows(page, "#warnings", "Offline: no origin is asked")
        assert "all the same" not in str(await page.value(text_of("#warnings")))
        admin_of(proxy).send("PUT", "/modes", {"mode": "online", "host": "localhost"})
        await shows(page, "#warnings", "no origin is asked but for hosts with a mode of their own: localhost")
        assert visit(proxy, url) == 200
        await shows(page, "#warnings", "1 request was sent to origins all the same")
        admin_of(proxy).send("PUT", "/modes", {"mode": "auto"})
        await page.shows(f"!({text_of('#warnings')}).includes('all the same')")

    with Proxy(tmp_path, settings={"ORIGIN__PROXY": "none"}) as proxy:
        for _ in range(2):
            visit(proxy, url)
        look(proxy, tmp_path, watching)
