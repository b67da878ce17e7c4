"""A page in headless Chromium, driven over the DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.fixtures.environment import PROXY_VARIABLES, environment
from tests.fixtures.proxy_process import TIMEOUT
from tests.programs.chromium import OPTIONS
from tests.programs.installed_programs import program

_OWN_OPTIONS = (
    "--remote-debugging-port=0",
    "--window-size=1280,900",
    "--host-resolver-rules=MAP *.example 127.0.0.1, MAP 192.0.2.7 127.0.0.1",
)
"""Options to be driven, to have room for tables as tables, and to find hosts of `.example` and an address here."""


class Page:
    """A page of a browser."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self._connection = connection
        self._calls = 0

    async def value(self, expression: str) -> object:
        """Return the value of a JavaScript expression; that of a promise when it is there."""
        result = await self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def shows(self, expression: str) -> object:
        """Wait until a JavaScript expression is true, and return its value."""
        async with asyncio.timeout(TIMEOUT):
            while not (found := await self.value(expression)):
                await asyncio.sleep(0.05)
            return found

    async def open(self, url: str) -> None:
        """Open a URL."""
        await self._call("Page.navigate", url=url)

    async def resize(self, width: int, height: int) -> None:
        """Give the page this size, in CSS pixels."""
        await self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    async def use_theme(self, theme: str) -> None:
        """Let the system of the browser have a `light` or `dark` theme."""
        features = [{"name": "prefers-color-scheme", "value": theme}]
        await self._call("Emulation.setEmulatedMedia", features=features)

    async def frames(self) -> list[str]:
        """Return the URLs of the frames in the page."""
        tree = (await self._call("Page.getFrameTree"))["frameTree"]
        return [str(each["frame"]["url"]) for each in tree.get("childFrames", [])]

    async def picture(self, form: str = "png") -> bytes:
        """Return what is seen of the page, as `png` or `webp`."""
        return base64.b64decode(str((await self._call("Page.captureScreenshot", format=form))["data"]))

    async def type(self, text: str) -> None:
        """Type a text into the element that has the focus, and press Enter."""
        await self._call("Input.insertText", text=text)
        await self.press("Enter")

    async def press(self, key: str) -> None:
        """Press a key that has a name."""
        code = {"Enter": 13, "Escape": 27}[key]
        await self._call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=code)

    async def _call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._calls += 1
        await self._connection.write_message(json.dumps({"id": self._calls, "method": method, "params": parameters}))
        async with asyncio.timeout(TIMEOUT):  # also for a promise that is never kept
            while message := json.loads(await self._connection.read_message() or "{}"):
                if message.get("id") == self._calls:
                    assert "error" not in message, message
                    return dict(message["result"])
        raise ConnectionError("the browser has closed the connection")


@asynccontextmanager
async def browser_page(profile: Path) -> AsyncIterator[Page]:
    """Open an empty page in a browser for the time of the context. The browser uses the folder `profile`."""
    with _browser(profile):
        pages = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{await _port(profile)}/json")
        page = next(each for each in json.loads(pages.body) if each["type"] == "page")
        connection = await websocket_connect(page["webSocketDebuggerUrl"])
        try:
            yield Page(connection)
        finally:
            connection.close()


@contextmanager
def _browser(profile: Path) -> Iterator[None]:
    browser = subprocess.Popen(
        [program("chromium"), *OPTIONS, *_OWN_OPTIONS, f"--user-data-dir={profile}", "about:blank"],
        env=environment(profile, PROXY_VARIABLES),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        browser.terminate()
        browser.wait(TIMEOUT)


async def _port(profile: Path) -> str:
    """Wait until the browser has written the port of its DevTools, and return it."""
    file = profile / "DevToolsActivePort"
    async with asyncio.timeout(TIMEOUT):
        while not file.exists() or len(lines := file.read_text().splitlines()) < 2:
            await asyncio.sleep(0.05)
        return lines[0]
