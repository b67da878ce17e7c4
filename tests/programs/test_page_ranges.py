"""The chart of the page after the proxy was started anew: each range shows what was before."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.admin_client import admin_of, visit
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin
from tests.programs.page_reader import Reader, ask

NO_PROXY = {"ORIGIN__PROXY": "none"}


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_each_range_shows_what_was_before_a_restart(kill: bool, origin: Origin, tmp_path: Path) -> None:
    url = serve_page(origin, "/counted")
    with Proxy(tmp_path, settings=NO_PROXY) as first:
        for _ in range(5):
            visit(first, url)
        visit(first, serve_page(origin, "/refused", fields={"Cache-Control": "no-store"}))
        if kill:
            admin_of(first).get("/series?range=1h")  # counts are written when somebody looks, and once a minute
            first.kill()
        else:
            first.stop()

    async def find(reader: Reader) -> None:
        await reader.sees("#works", "of 2 requests since")  # the counters begin with the process
        for words, last in (("1 hour", "hour"), ("24 hours", "24 hours"), ("30 days", "30 days")):
            reader.clicks = 0
            await reader.click("#ranges button", words)
            await reader.sees("#chart", f"8 responses in the last {last}", "from a copy, fresh: 6 responses")

    with Proxy(tmp_path, settings=NO_PROXY) as second:
        for _ in range(2):
            visit(second, url)
        ask(second, tmp_path, find)
