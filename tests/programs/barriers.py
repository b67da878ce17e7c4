"""Barriers in pages for people who see little, or use a keyboard or a screen reader, as axe-core finds them."""

from __future__ import annotations

import json

from tests.programs.devtools import Page
from tests.programs.managers import node_file
from tests.programs.page_visits import overflows

GRAVE = ("serious", "critical")
"""The impacts that a barrier may not have."""

_RUN = "axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations)"


async def barriers(page: Page) -> list[str]:
    """Return the grave barriers in what the page shows now, each with its place. Skip the test without axe-core."""
    if await page.value("typeof axe") == "undefined":
        await page.value(node_file("axe-core", "axe.min.js").read_text() + "; true")
    found = await page.value(_RUN)
    assert isinstance(found, list)
    return [
        f"{each['id']}: {each['help']}: {json.dumps([node['html'] for node in each['nodes']])}"
        for each in found
        if each["impact"] in GRAVE
    ]


async def look_narrow_and_wide(page: Page) -> None:
    """Check that what the page shows now has no grave barriers and fits: narrow and light, and wide and dark."""
    for width, theme in ((320, "light"), (1280, "dark")):
        await page.resize(width, 800)
        await page.use_theme(theme)
        assert await barriers(page) == []
        assert not await overflows(page)
