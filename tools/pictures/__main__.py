"""Takes the pictures of the page in `docs/pictures`: three views, at three widths, in both themes."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.programs.devtools import Page, browser_page
from tools.pictures.example import EXPLAINED, used_proxy

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"

SIZES = ((360, 760), (900, 720), (1600, 900))
"""Widths and heights in CSS pixels: a telephone, half a screen, and a screen."""

THEMES = ("light", "dark")

SETTLED = 1.5
"""Seconds after which a view is complete."""

MAX_BYTES = 1_000_000
"""Of all pictures together."""


async def show_overview(page: Page) -> None:
    """Show what is seen first."""
    await page.value("location.hash = 'overview'")


async def show_live(page: Page) -> None:
    """Show the list of requests."""
    await page.value("location.hash = 'live'")


async def show_why(page: Page) -> None:
    """Open the drawer that explains one URL."""
    await show_live(page)
    buttons = "[...document.querySelectorAll('#live-list button')]"
    found = f"{buttons}.find((each) => each.innerText.includes('{EXPLAINED}'))"
    await page.shows(f"Boolean({found})")
    await page.value(f"{found}.click()")


VIEWS = {"overview": show_overview, "live": show_live, "why": show_why}


async def pictures(url: str, profile: Path) -> dict[str, bytes]:
    """Return all pictures by the names of their files. `url` has the token."""
    taken = {}
    async with browser_page(profile) as page:
        for name, width, height, theme in _all():
            await page.resize(width, height)
            await page.use_theme(theme)
            await page.open("about:blank")
            await page.open(url)
            await page.shows("document.querySelector('#works')?.innerText.includes('requests since') ?? false")
            await VIEWS[name](page)
            await asyncio.sleep(SETTLED)
            taken[f"{name}-{width}-{theme}.webp"] = await page.picture("webp")
    return taken


def _all() -> Iterator[tuple[str, int, int, str]]:
    return ((name, *size, theme) for name in VIEWS for size in SIZES for theme in THEMES)


def main() -> None:
    """Take all pictures, and put them into the place of the old ones."""
    with tempfile.TemporaryDirectory() as folder, used_proxy(Path(folder)) as url:
        taken = asyncio.run(pictures(url, Path(folder, "profile")))
    total = sum(map(len, taken.values()))
    assert total <= MAX_BYTES, f"{total:,} bytes; at most {MAX_BYTES:,}"
    for old in FOLDER.glob("*.webp"):
        old.unlink()
    for name, content in taken.items():
        (FOLDER / name).write_bytes(content)
    print(f"{len(taken)} pictures with {total:,} bytes in {FOLDER}")


if __name__ == "__main__":
    main()
