"""The mistakes that `lint` finds, in the page beside the reason why responses were not stored."""

from __future__ import annotations

from pathlib import Path

from tests.fixtures.admin_client import visit
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin
from tests.programs.devtools import Page
from tests.programs.page_visits import HOSTILE, look, shows


def test_a_reason_has_the_mistakes_of_a_response_beside_it(used: Proxy, origin: Origin, tmp_path: Path) -> None:
    fields = {"Cache-Control": f"private, {HOSTILE}", "Expires": "soon"}
    url = serve_page(origin, "/mistaken", fields=fields)
    visit(used, url)

    async def reading(page: Page) -> None:
        await shows(page, "#not-stored", f"Found in GET {url}:")
        await shows(page, "#not-stored", "expires: not a date: it counts as the past (RFC 9111 §5.3)")
        assert await page.value("document.querySelectorAll('#not-stored img').length") == 0
        assert await page.value("window.hacked") is None

    look(used, tmp_path, reading)
