"""mitmweb's page in a browser shows how the cache has handled each flow, filters by that, and runs the commands."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fixtures.environment import environment
from tests.fixtures.free_port import free_port
from tests.fixtures.proxy_process import COMMANDS, TIMEOUT
from tests.programs.devtools import Page, browser_page
from tests.programs.echo_origin import EchoOrigin
from tests.programs.mitmproxy_runs import Ask, exchange

ROWS = "[...document.querySelectorAll('.flow-table tbody tr.has-request')]"
COMMENTS = f"{ROWS}.map(row => row.querySelector('.col-comment').innerText)"


def test_a_browser_shows_what_the_cache_did(tmp_path: Path) -> None:
    async def scenario(page: Page, proxy: int, web: str, origin: EchoOrigin) -> None:
        for target in ("/text", "/text", "/page", "/brief", "/brief"):
            exchange(proxy, origin.url, Ask(target))
        await page.open(web)
        # the page may have drawn the rows before it knows its columns
        await page.shows(f"{ROWS}.length == 5 && {ROWS}.every(row => row.querySelector('.col-comment'))")

        comments = await page.value(COMMENTS)
        assert isinstance(comments, list)
        assert (comments[0], comments[2]) == ("miss, stored", "miss: no-store")
        assert comments[1].startswith("hit, ")
        assert "stale for" in comments[4]
        assert await page.value(f"{ROWS}.map(row => row.querySelector('.marker').innerText != '')") == [False] * 4 + [
            True
        ]

        await _type_into(page, "input[placeholder=Search]", "~comment stale")
        await page.shows(f"{ROWS}.length == 1")
        assert "/brief" in str(await page.value(f"{ROWS}[0].querySelector('.col-path').innerText"))

        await page.value("[...document.querySelectorAll('nav a')].find(each => each.innerText == 'Options').click()")
        await page.shows("[...document.querySelectorAll('label')].some(each => /Command Bar/.test(each.innerText))")
        await page.value(
            "[...document.querySelectorAll('label')].find(each => /Command Bar/.test(each.innerText))"
            ".querySelector('input').click()"
        )
        await page.shows("document.querySelector('.command input') != null")
        await _type_into(page, ".command input", f"secondhand.why {origin.url}/text")
        await page.shows("/now it would be.*hit/.test(document.querySelector('.command').innerText)")

    with EchoOrigin() as origin, mitmweb(tmp_path) as (proxy, web):

        async def whole() -> None:
            (tmp_path / "browser").mkdir()
            async with browser_page(tmp_path / "browser") as page:
                await scenario(page, proxy, web, origin)

        asyncio.run(whole())


async def _type_into(page: Page, selector: str, text: str) -> None:
    await page.value(f"document.querySelector('{selector}').focus()")
    await page.type(text)


@contextmanager
def mitmweb(folder: Path) -> Iterator[tuple[int, str]]:
    """Run mitmweb with the cache. Gives the port of the proxy, and the URL of the page."""
    proxy, web = free_port(), free_port()
    settings = ("listen_host=127.0.0.1", f"web_port={web}", "web_open_browser=false", "web_password=secret")
    options = [part for setting in settings for part in ("--set", setting)]
    log = folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [COMMANDS / "secondhand", "mitmweb", "--listen-port", str(proxy), *options],
            env=environment(folder) | {"SECONDHAND_STORE__PATH": str(folder / "store")},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        while "Web server listening" not in log.read_text():
            assert process.poll() is None, log.read_text()
        yield proxy, f"http://127.0.0.1:{web}/?token=secret"
    finally:
        process.terminate()
        process.wait(TIMEOUT)
