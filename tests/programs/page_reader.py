"""A person who reads the page, and clicks no more than twice to find an answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fixtures.proxy_process import Proxy
from tests.programs.devtools import Page
from tests.programs.page_visits import look, shows, text_of

MAX_CLICKS = 2


@dataclass
class Reader:
    """Somebody with a question."""

    page: Page
    clicks: int = 0

    async def click(self, selector: str, text: str = "") -> None:
        """Click the first element that is seen, fits, and has a text. Wait until there is one."""
        self.clicks += 1
        fitting = f"[...document.querySelectorAll({json.dumps(selector)})].find((each) => each.checkVisibility()"
        await self.page.shows(f"Boolean({fitting} && each.innerText.includes({json.dumps(text)})))")
        await self.page.value(f"{fitting} && each.innerText.includes({json.dumps(text)})).click()")

    async def open(self, view: str) -> None:
        """Click the name of a view."""
        await self.click(f'nav a[href="#{view}"]')

    async def fill(self, selector: str, text: str) -> None:
        """Write into a field; it is no click, since a person uses the key Tab."""
        await self.page.value(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(text)}; true")

    async def sees(self, selector: str, *texts: str) -> str:
        """Wait until an element shows texts. Return all that it shows."""
        for text in texts:
            await shows(self.page, selector, text)
        assert await self.page.value(f"document.querySelector({json.dumps(selector)}).checkVisibility()")
        return str(await self.page.value(text_of(selector)))


def ask(proxy: Proxy, folder: Path, find: Callable[[Reader], Awaitable[None]]) -> None:
    """Open the page, and let somebody find an answer."""

    async def finding(page: Page) -> None:
        reader = Reader(page)
        await find(reader)
        assert reader.clicks <= MAX_CLICKS

    look(proxy, folder, finding)
