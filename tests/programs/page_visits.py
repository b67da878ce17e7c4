"""Looks at the page in a browser as a person does: opens views, fills in forms, and reads what is shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.fixtures.proxy_process import Proxy
from tests.programs.devtools import Page, browser_page

type Visit = Callable[[Page], Awaitable[None]]

HOSTILE = "<img/src=x/onerror=window.hacked=1>"
"""A text of a stranger that runs a script where it is taken for HTML."""


def look(proxy: Proxy, folder: Path, what: Visit) -> None:
    """Open the page as `secondhand page` does, and do something with it."""

    async def looking() -> None:
        async with browser_page(folder / "profile") as page:
            await page.open(proxy.run("page", "--print-url").strip())
            await shows(page, "#works", "requests since")
            await what(page)

    asyncio.run(looking())


def text_of(selector: str) -> str:
    return f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"


async def shows(page: Page, selector: str, text: str) -> None:
    """Wait until an element shows a text."""
    try:
        await page.shows(f"({text_of(selector)}).includes({json.dumps(text)})")
    except TimeoutError:
        shown = await page.value(text_of(selector))
        raise AssertionError(f"{selector} shows {shown!r}, and not {text!r}") from None


async def overflows(page: Page) -> object:
    """Return whether the page has to be moved sideways to be read."""
    return await page.value("document.documentElement.scrollWidth > innerWidth")


async def go(page: Page, view: str) -> None:
    await page.value(f"document.querySelector('nav a[href=\"#{view}\"]').click()")


async def fill(page: Page, form: str, **values: str) -> None:
    """Fill in fields of a form, and send it."""
    for name, value in values.items():
        field = f"document.querySelector('#{form}').elements.{name}"
        await page.value(f"{field}.value = {json.dumps(value)}")
        await page.value(f"{field}.dispatchEvent(new Event('input', {{bubbles: true}}))")
    await page.value(f"document.querySelector('#{form}').requestSubmit()")


async def open_stored(page: Page, part: str) -> None:
    """Open the drawer for the only stored URL with a part."""
    await go(page, "store")
    await fill(page, "store-form", pattern=part)
    await page.shows("document.querySelectorAll('#store-list tbody button').length === 1")
    await page.value("document.querySelector('#store-list tbody button').click()")


async def answer(page: Page, reply: str, condition: str = "true") -> None:
    """Give the page this reply to requests for which a condition holds, until `answer_no_more`.

    Both are JavaScript with a `path`; `send(path, ...rest)` is the reply of the proxy. `paths` gets all paths.
    """
    await page.value("window.send ??= window.fetch; window.paths = []; true")
    given = f"{{ paths.push(path); return {condition} ? {reply} : send(path, ...rest); }}"
    await page.value(f"window.fetch = (path, ...rest) => {given}; true")


async def answer_no_more(page: Page) -> None:
    """Let the proxy alone reply again."""
    await page.value("window.fetch = send; true")


async def hold(page: Page, part: str) -> None:
    """Hold back the replies to requests whose path has a part, until `release`."""
    await page.value("window.held = []; true")
    sent = "() => { const reply = send(path, ...rest); resolve(reply); return reply; }"
    await answer(page, f"new Promise((resolve) => held.push({sent}))", f"path.includes({json.dumps(part)})")


async def release(page: Page) -> None:
    """Let the replies come that were held back."""
    await answer_no_more(page)
    await page.value("Promise.all(held.map((each) => each())).then(() => true)")
    await asyncio.sleep(1)  # longer than it takes to show a reply
