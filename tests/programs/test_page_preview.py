"""The look at stored content in the page: text and images are shown, and nothing of strangers runs."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.fixtures.admin_client import visit
from tests.fixtures.png import red_png
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin
from tests.programs.barriers import barriers
from tests.programs.devtools import Page
from tests.programs.page_visits import HOSTILE, look, open_stored, shows

KEPT = {"Cache-Control": "max-age=600"}


async def open_content(page: Page, part: str) -> None:
    """Open the drawer for the only stored URL with a part, and show its content."""
    await open_stored(page, part)
    await page.shows("document.querySelector('.preview button') !== null")
    await page.value("document.querySelector('.preview button').click()")


def test_json_is_shown_indented_and_without_its_coding(used: Proxy, origin: Origin, tmp_path: Path) -> None:
    fields = {**KEPT, "Content-Type": "application/json", "Content-Encoding": "gzip"}
    visit(used, serve_page(origin, "/preview.json", gzip.compress(b'{"a":[1,2]}'), fields))

    async def reading(page: Page) -> None:
        await open_content(page, "/preview.json")
        await shows(page, ".preview pre", '{\n  "a": [\n    1,\n    2\n  ]\n}')
        await shows(page, ".preview", "application/json. Indented")

    look(used, tmp_path, reading)


def test_shown_content_has_no_barriers(used: Proxy, origin: Origin, tmp_path: Path) -> None:
    visit(used, serve_page(origin, "/preview.txt", b"text\n" * 1000, {**KEPT, "Content-Type": "text/plain"}))

    async def looking(page: Page) -> None:
        await open_content(page, "/preview.txt")
        await shows(page, ".preview pre", "text")
        assert await barriers(page) == []

    look(used, tmp_path, looking)


def test_an_image_is_shown(used: Proxy, origin: Origin, tmp_path: Path) -> None:
    visit(used, serve_page(origin, "/preview.png", red_png(), {**KEPT, "Content-Type": "image/png"}))

    async def seeing(page: Page) -> None:
        await open_content(page, "/preview.png")
        await page.shows("document.querySelector('.preview img')?.naturalWidth === 3")

    look(used, tmp_path, seeing)


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "image/png"])
def test_a_hostile_content_is_text_and_runs_nothing(used: Proxy, origin: Origin, kind: str, tmp_path: Path) -> None:
    hostile = (
        f"<svg xmlns='http://www.w3.org/2000/svg' onload='window.hacked=1'>{HOSTILE}<script>hacked=1</script></svg>"
    )
    path = f"/hostile-{kind.replace('/', '-').replace('+', '-')}"
    visit(used, serve_page(origin, path, hostile.encode(), {**KEPT, "Content-Type": kind}))

    async def reading(page: Page) -> None:
        await open_content(page, path)
        await shows(page, ".preview pre", hostile)
        assert await page.value("document.querySelectorAll('.preview img, .preview svg, .preview script').length") == 0
        assert await page.value("window.hacked") is None

    look(used, tmp_path, reading)


def test_a_broken_image_is_said_to_be_one(used: Proxy, origin: Origin, tmp_path: Path) -> None:
    visit(used, serve_page(origin, "/broken.png", red_png()[:30] + b"<script>", {**KEPT, "Content-Type": "image/png"}))

    async def seeing(page: Page) -> None:
        await open_content(page, "/broken.png")
        await shows(page, ".preview", "The browser cannot show this image.")

    look(used, tmp_path, seeing)
