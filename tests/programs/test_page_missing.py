"""The panel about what is missing offline: its URLs are fetched one by one or all at once; lock files are checked."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fixtures.admin_client import admin_of, visit
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin
from tests.programs.barriers import barriers
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


async def give(page: Page, name: str, text: str, how: str) -> None:
    """Choose a file with a text, or drop it on the panel."""
    made = (
        f"window.given = new DataTransfer(); given.items.add(new File([{json.dumps(text)}], {json.dumps(name)})); true"
    )
    await page.value(made)
    if how == "choose":
        await page.value("document.querySelector('#lock-file').files = given.files; true")
        await page.value("document.querySelector('#lock-file').dispatchEvent(new Event('change'))")
    else:
        event = "new DragEvent('drop', {dataTransfer: given, bubbles: true, cancelable: true})"
        await page.value(f"document.querySelector('#missing').dispatchEvent({event})")


def test_a_lock_file_shows_what_would_be_missing(tmp_path: Path, origin: Origin, used: Proxy) -> None:
    stored = f"http://localhost:{origin.port}/static/00"
    text = f'a@^1:\n  version "1.0.0"\n  resolved "{stored}"\n\n'
    missing = "".join(f'b{number}@^1:\n  version "1.0.0"\n  resolved "{stored}-{number}"\n\n' for number in range(8))

    async def checking(page: Page) -> None:
        await give(page, "yarn.lock", text, "choose")
        await shows(page, "#lock-file-result", "yarn.lock: nothing is missing, 1 URL stored.")
        await give(page, "yarn.lock", text + missing, "drop")
        await shows(page, "#lock-file-result", "yarn.lock: 8 missing, 1 stored.")
        await page.resize(320, 800)
        assert await barriers(page) == []
        assert f"{stored}-0\n{stored}-1\n" in str(await page.value(text_of("#lock-file-result")))
        await give(page, "package-lock.json", "{", "drop")
        await shows(page, "#lock-file-result", "package-lock.json cannot be read:")
        await shows(page, "#lock-file-result", "line 1, column 2")
        await give(page, HOSTILE.replace("/", " "), "", "drop")
        await shows(page, "#lock-file-result", "expected the name of a lock file")
        await give(page, "package-lock.json", HOSTILE, "choose")
        await shows(page, "#lock-file-result", "line 1, column 1")
        assert await page.value("window.hacked") is None

    look(used, tmp_path, checking)
