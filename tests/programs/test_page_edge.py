"""The page of an edge with several processes, and of a node of a shared store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.admin_client import admin_of, visit
from tests.fixtures.free_port import free_port
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.redis_server import RedisServer, server_of_test
from tests.fixtures.until import LONGEST
from tests.fixtures.web_origin import Exchange, Origin
from tests.programs.barriers import look_narrow_and_wide
from tests.programs.devtools import Page
from tests.programs.page_visits import go, look, shows, text_of

HOST = "app.example"

server = pytest.fixture(server_of_test)


@pytest.fixture
def edge(tmp_path: Path, origin: Origin) -> Iterator[Proxy]:
    """An edge with two processes and two origins, of which one does not listen."""
    file = tmp_path / "edge.toml"
    file.write_text(
        f'[[site]]\nhosts = ["{HOST}"]\nmax_fails = 1\nfail_timeout = "1 h"\norigins = [\n'
        f'{{ url = "http://127.0.0.1:{origin.port}", weight = 3 }},\n'
        f'{{ url = "http://127.0.0.1:{free_port()}", weight = 1 }},\n]\n'
    )
    command = ("secondhand", "serve", "--workers", "2", "--config", str(file))
    with Proxy(tmp_path, None, command, {"ORIGIN__PROXY": "none"}) as proxy:
        yield proxy


async def cells(page: Page, place: str) -> list[list[str]]:
    """Return the texts of the cells of a table, by row."""
    rows = f"[...document.querySelectorAll('{place} tbody tr')]"
    found = await page.value(f"{rows}.map((row) => [...row.cells].map((cell) => cell.innerText))")
    assert isinstance(found, list)
    return found


def test_the_origins_of_an_edge_and_its_processes_are_shown(edge: Proxy, origin: Origin, tmp_path: Path) -> None:
    arrived, leave = threading.Event(), threading.Event()

    def held(exchange: Exchange) -> None:
        arrived.set()
        assert leave.wait(LONGEST)
        exchange.reply(200, b"", {"Cache-Control": "no-store"})

    origin.offer("/held", held)
    origin.offer("/page", lambda exchange: exchange.reply(200, b"", {"Cache-Control": "no-store"}))
    for _ in range(30):
        assert visit(edge, "/page", {"Host": HOST}) == 200
    waiting = threading.Thread(target=visit, args=(edge, "/held", {"Host": HOST}))
    waiting.start()
    assert arrived.wait(LONGEST)

    async def reading(page: Page) -> None:
        await go(page, "edge")
        await shows(page, "#edge-sites-table", "refused the connection")
        up, down = await cells(page, "#edge-sites-table")
        assert up == [f"http://127.0.0.1:{origin.port}\nfor {HOST}", "up", "3", "1", "30", "0", "none"]
        assert down[1:4] == ["down", "1", "0"]
        assert int(down[5]) >= 1
        await shows(page, "#edge-sites-table", "since the start of the present processes")
        workers = await cells(page, "#edge-workers")
        told = admin_of(edge).get("/status").json["workers"]
        assert [row[0] for row in workers] == [str(each["pid"]) for each in told]
        assert [row[1] for row in workers] == ["serves clients"] * 2
        assert sum(int(row[4]) for row in workers) == 31
        assert all(row[5].endswith(" %") for row in workers)
        assert await page.value("document.querySelector('#edge-engine').checkVisibility()") is False
        await look_narrow_and_wide(page)

    try:
        look(edge, tmp_path, reading)
    finally:
        leave.set()
        waiting.join(LONGEST)


def test_the_engine_of_a_shared_store_is_shown_with_its_latest_problem(server: RedisServer, tmp_path: Path) -> None:
    settings = {"STORE__KIND": "redis", "STORE__URL": server.url, "ORIGIN__PROXY": "none"}

    async def reading(page: Page) -> None:
        await shows(page, "#stored", "its limit is that of the engine")
        await go(page, "edge")
        await shows(page, "#edge-engine-state", "works")
        assert "could be used at all times since the start." in str(await page.value(text_of("#edge-engine-state")))
        assert server.url.removeprefix("redis://") in str(await page.value(text_of("#edge-engine-state")))
        server.kill()
        visit(proxy, f"http://127.0.0.1:{free_port()}/")
        await shows(page, "#edge-engine-state", "cannot be used")
        server.start()
        await shows(page, "#edge-engine-state", "works")
        await shows(page, "#edge-engine-state", "Latest problem, ")
        assert await page.value("document.querySelector('#edge-sites').checkVisibility()") is False

    with Proxy(tmp_path, settings=settings) as proxy:
        look(proxy, tmp_path, reading)


def test_a_forward_proxy_of_one_process_with_a_store_of_its_own_has_no_such_view(used: Proxy, tmp_path: Path) -> None:
    async def reading(page: Page) -> None:
        assert await page.value("document.querySelector('#edge-link').checkVisibility()") is False

    look(used, tmp_path, reading)
