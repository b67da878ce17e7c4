"""The QR code of the set-up page in the view of clients and on that page itself, as a browser draws it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.admin_client import admin_of
from tests.fixtures.proxy_process import Proxy
from tests.programs.barriers import barriers
from tests.programs.devtools import Page, browser_page
from tests.programs.page_visits import go, look, shows

NAME = "proxy.example"

DRAWN = "document.querySelectorAll('svg[aria-label^=\"QR code\"]').length"


@pytest.fixture(scope="module")
def reachable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy that other devices can reach, and its admin listener by a name."""
    settings = {"LISTEN": "0.0.0.0:0", "ADMIN__HOSTS": f'["{NAME}"]', "ORIGIN__PROXY": "none"}
    with Proxy(tmp_path_factory.mktemp("reachable"), settings=settings) as proxy:
        yield proxy


def test_the_clients_view_has_the_code_of_the_host_that_was_asked(reachable: Proxy, tmp_path: Path) -> None:
    token = admin_of(reachable).token

    async def looking() -> None:
        async with browser_page(tmp_path / "profile") as page:
            await page.open(f"http://{NAME}:{admin_of(reachable).port}/page/#token={token}")
            await shows(page, "#works", "requests since")
            await go(page, "clients")
            await shows(page, "#qr-code", f"http://{NAME}:{reachable.port}/")
            assert await page.value(DRAWN) == 1
            assert await page.value("document.querySelector('svg.code').getBoundingClientRect().width >= 150")
            assert await barriers(page) == []

    asyncio.run(looking())


def test_a_browser_that_uses_loopback_is_shown_no_code(reachable: Proxy, tmp_path: Path) -> None:
    async def reading(page: Page) -> None:
        await go(page, "clients")
        await shows(page, "#set-up", "secondhand doctor")
        replies = "performance.getEntriesByType('resource').filter((each) => each.name.includes('/set-up-code'))"
        await page.shows(f"{replies}.length")
        await asyncio.sleep(1)  # longer than it takes to show a reply
        assert await page.value(DRAWN) == 0

    look(reachable, tmp_path, reading)


@pytest.mark.parametrize(("host", "drawn"), [("192.0.2.7", 1), ("127.0.0.1", 0)])
def test_the_set_up_page_draws_the_code_of_an_address_for_others(
    host: str, drawn: int, reachable: Proxy, tmp_path: Path
) -> None:
    async def looking() -> None:
        async with browser_page(tmp_path / "profile") as page:
            await page.open(f"http://{host}:{reachable.port}/")
            await shows(page, "h1", "Set up this computer")
            assert await page.value(DRAWN.replace("QR code", "QR code with the address of this page")) == drawn
            assert await barriers(page) == []

    asyncio.run(looking())
