"""The questions that people have, put to the page alone; each has its answer within two clicks."""

from __future__ import annotations

import http.client
import re
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.admin_client import admin_of, visit
from tests.fixtures.free_port import free_port
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Exchange, Origin
from tests.programs.page_reader import Reader, ask

HOUR = {"Cache-Control": "max-age=3600"}


@pytest.fixture(scope="module")
def dead() -> str:
    """Return an origin that does not answer."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory, origin: Origin, secure_origin: Origin, dead: str) -> Iterator[Proxy]:
    """A proxy that has all that the questions are about."""
    with Proxy(tmp_path_factory.mktemp("busy"), settings={"ORIGIN__PROXY": "none"}) as proxy:
        for _ in range(3):
            visit(proxy, serve_page(origin, "/logo.png", b"x" * 3000, HOUR))
            visit(proxy, serve_page(origin, "/cart", b"x", HOUR | {"Set-Cookie": "basket=1"}))
            visit(proxy, serve_page(origin, "/news", b"x", {"Cache-Control": "no-store"}))
        visit(proxy, serve_page(origin, "/film.mp4", b"x" * 300_000, HOUR))
        visit(proxy, serve_slowly(origin, "/slow"))
        distrust(proxy, secure_origin)
        admin_of(proxy).send("PUT", "/modes", {"mode": "offline", "host": "missing.example"})
        visit(proxy, "http://missing.example/wanted")
        visit(proxy, f"{dead}/")  # last, since what failed is forgotten when a mode is switched
        yield proxy


def serve_slowly(origin: Origin, target: str) -> str:
    """Let an origin take more than a second. Return the URL."""

    def answer(exchange: Exchange) -> None:
        threading.Event().wait(1.2)
        exchange.reply(200, b"late", {"Cache-Control": "no-store"})

    return origin.offer(target, answer).replace("localhost", "127.0.0.1")


def distrust(proxy: Proxy, origin: Origin) -> None:
    """Connect through a proxy without trust in its CA."""
    connection = http.client.HTTPSConnection("127.0.0.1", proxy.port, timeout=60, context=ssl.create_default_context())
    connection.set_tunnel("localhost", origin.port)
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("GET", "/")
    connection.close()


def test_why_is_it_not_cached(busy: Proxy, origin: Origin, tmp_path: Path) -> None:
    async def find(reader: Reader) -> None:
        host = f"localhost:{origin.port} (3)"
        answer = await reader.sees("#not-stored", "the origin says no-store", host)
        assert "the origin leaves out no-store; or" in answer
        assert reader.clicks == 0

    ask(busy, tmp_path, find)


def test_does_it_work_and_how_much_is_saved(busy: Proxy, tmp_path: Path) -> None:
    async def find(reader: Reader) -> None:
        answer = await reader.sees("#works", "Answered from copies", "%", "Content saved", "Waiting saved")
        assert "of 13 requests since" in answer
        assert "5.9\u00a0KiB" in answer
        assert reader.clicks == 0

    ask(busy, tmp_path, find)


def test_what_is_stored(busy: Proxy, tmp_path: Path) -> None:
    async def find(reader: Reader) -> None:
        await reader.sees("#stored", "2\u00a0responses", "of 2.0 GiB")
        assert reader.clicks == 0
        await reader.open("store")
        await reader.sees("#store-list", "/logo.png", "/film.mp4", "2.9 KiB", "fresh")

    ask(busy, tmp_path, find)


def test_what_is_missing_offline(busy: Proxy, tmp_path: Path) -> None:
    async def find(reader: Reader) -> None:
        await reader.sees("#missing", "http://missing.example/wanted")
        assert reader.clicks == 0

    ask(busy, tmp_path, find)


def test_did_anything_go_to_an_origin(busy: Proxy, tmp_path: Path) -> None:
    async def find(reader: Reader) -> None:
        await reader.open("live")
        await reader.sees("#live-list", "/logo.png", "missing.example")
        await reader.click("label.check", "Only those that an origin was asked for")
        await reader.page.shows("!document.querySelector('#live-list').innerText.includes('missing.example')")
        answer = await reader.sees("#live-list", "/logo.png")
        assert answer.count("/logo.png") == 1  # the other two came from the copy
        assert answer.count("/news") == 3

    ask(busy, tmp_path, find)


def test_which_origin_is_slow_or_down(busy: Proxy, origin: Origin, dead: str, tmp_path: Path) -> None:
    async def find(reader: Reader) -> None:
        await reader.sees("#warnings", "1 origin failed when it was last asked", dead)
        await reader.sees("#warnings", "1 origin takes longer than 1 s for most responses", f"127.0.0.1:{origin.port}")
        await reader.open("hosts")
        await reader.sees("#origins", dead, "refused the connection")
        await reader.sees("#hosts-table", f"127.0.0.1:{origin.port}")
        rows = "[...document.querySelectorAll('#hosts-table tbody tr')]"
        slow = f"{rows}.find((each) => each.innerText.includes('127.0.0.1:{origin.port}'))"
        times = await reader.page.value(f"[...{slow}.cells].slice(6, 8).map((each) => each.innerText).join()")
        assert re.fullmatch(r"[1-3](\.\d)? s,[1-3](\.\d)? s", str(times))  # times are put into few classes
        assert reader.clicks == 1

    ask(busy, tmp_path, find)


def test_what_is_deleted_next_and_is_the_store_too_small(origin: Origin, tmp_path: Path) -> None:
    settings = {"ORIGIN__PROXY": "none", "STORE__MAX_SIZE": "1 MiB"}
    with Proxy(tmp_path, settings=settings) as small:
        for number in range(30):
            visit(small, serve_page(origin, f"/part/{number:02}", b"x" * 100_000, HOUR))
        kept = admin_of(small).get("/entries?sort=used&limit=1").json["entries"][0]["url"]

        async def find(reader: Reader) -> None:
            await reader.sees("#stored", "deleted to make room", "A larger store.max_size keeps more.")
            assert reader.clicks == 0
            await reader.open("store")
            await reader.click("button", "Next to be deleted")
            await reader.page.shows("document.querySelector('#store-form').elements.sort.value === 'used'")
            await reader.page.shows(
                f"document.querySelector('#store-list tbody button')?.innerText.includes('{kept}') ?? false"
            )

        ask(small, tmp_path, find)


@pytest.mark.parametrize(
    ("view", "button", "place", "first"),
    [
        ("live", "", "#top-misses", "/cart"),
        ("store", "Largest", "#store-list", "/film.mp4"),
        ("hosts", "", "#hosts-table", "localhost:"),
    ],
    ids=["most_often_fetched", "largest", "by_host"],
)
def test_what_is_fetched_most_often_what_is_largest_and_which_hosts_are_there(
    busy: Proxy, view: str, button: str, place: str, first: str, tmp_path: Path
) -> None:
    async def find(reader: Reader) -> None:
        await reader.open(view)
        if button:
            await reader.click("button", button)
        await reader.page.shows(f"document.querySelector('{place} tbody tr')?.innerText.includes('{first}') ?? false")

    ask(busy, tmp_path, find)


def test_which_host_is_not_accepted_and_how_is_a_client_set_up(busy: Proxy, tmp_path: Path) -> None:
    async def find(reader: Reader) -> None:
        await reader.sees("#warnings", "Some clients do not accept the certificate")
        await reader.open("clients")
        await reader.sees("#distrusted", "localhost")
        await reader.sees("#set-up", f"http://127.0.0.1:{busy.port}/", "secondhand doctor")

    ask(busy, tmp_path, find)


def test_what_would_this_purge_delete(busy: Proxy, tmp_path: Path) -> None:
    async def find(reader: Reader) -> None:
        await reader.open("purge")
        await reader.fill("#purge-form [name=kind]", "host")
        await reader.fill("#purge-form [name=value]", "localhost")
        await reader.click("button", "Count")
        await reader.sees("#purge-count", "2 stored responses with 296 KiB would be deleted.")

    ask(busy, tmp_path, find)
    assert admin_of(busy).get("/stats").json["contents"]["entries"] == 2


def test_which_host_sends_fields_that_forbid_storing(busy: Proxy, origin: Origin, tmp_path: Path) -> None:
    async def find(reader: Reader) -> None:
        await reader.sees("#not-stored", "set-cookie")
        rows = "[...document.querySelectorAll('#not-stored tbody tr')]"
        row = await reader.page.value(f"{rows}.find((each) => each.innerText.includes('set-cookie')).innerText")
        assert f"localhost:{origin.port} (3)" in str(row)
        await reader.open("live")
        await reader.click("#top-misses button", "/cart")
        await reader.sees("#why-content", "Not stored:", "This would change it:")

    ask(busy, tmp_path, find)
