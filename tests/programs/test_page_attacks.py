"""Pages of other origins in a browser of the same machine, and strangers whose texts the page shows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fixtures.admin_client import AdminClient, admin_of, visit
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Exchange, Origin
from tests.programs.devtools import Page, browser_page
from tests.programs.page_visits import look

CHANGES = [("POST", "/purge", {"all": True}), ("PUT", "/modes", {"mode": "offline"})]
READS = ["/status", "/entries", "/config", "/exchanges", "/metrics", "/openapi.json"]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, origin: Origin) -> Iterator[Proxy]:
    """A proxy with one copy."""
    with Proxy(tmp_path_factory.mktemp("proxy"), settings={"ORIGIN__PROXY": "none"}) as proxy:
        visit(proxy, serve_page(origin, "/kept"))
        yield proxy


@pytest.fixture
def admin(proxy: Proxy) -> Iterator[AdminClient]:
    """The admin API, which nothing has changed at the end."""
    admin = admin_of(proxy)
    yield admin
    assert admin.get("/stats").json["contents"]["entries"] == 1
    assert admin.get("/modes").json["mode"] == "auto"


def asked(url: str, method: str = "GET", content: object = None, **options: object) -> str:
    """Return JavaScript that asks for a URL; its value is the status, or "refused" if the browser gives no response."""
    sent = {"method": method, **({} if content is None else {"body": json.dumps(content)}), **options}
    return f"fetch({json.dumps(url)}, {json.dumps(sent)}).then((response) => response.status, () => 'refused')"


async def attacker(page: Page, origin: Origin, host: str) -> None:
    """Open a page of the attacker."""
    serve_page(origin, "/trap", b"<!doctype html><h1>Win a prize</h1>", {"Content-Type": "text/html"})
    await page.open(f"http://{host}:{origin.port}/trap")
    await page.shows("document.querySelector('h1') !== null")


@pytest.mark.parametrize("host", ["attacker.example", "127.0.0.1"])
@pytest.mark.parametrize("knows_the_token", [False, True])
def test_a_page_of_another_origin_reads_and_changes_nothing(
    host: str, knows_the_token: bool, admin: AdminClient, origin: Origin, tmp_path: Path
) -> None:
    fields = admin.authorization if knows_the_token else {}
    base = f"http://127.0.0.1:{admin.port}"

    async def attacking() -> None:
        async with browser_page(tmp_path / "profile") as page:
            await attacker(page, origin, host)
            for path in READS:
                assert await page.value(asked(base + path, headers=fields)) == "refused"
            for method, path, content in CHANGES:
                as_json = {**fields, "Content-Type": "application/json"}
                as_text = {**fields, "Content-Type": "text/plain"}  # a browser sends it without asking first
                assert await page.value(asked(base + path, method, content, headers=as_json)) == "refused"
                assert await page.value(asked(base + path, method, content, headers=as_text)) == "refused"
            for mode in ("no-cors", "same-origin"):
                asking = asked(f"{base}/purge", "POST", {"all": True}, mode=mode, headers=fields)
                assert await page.value(asking) == "refused"

    asyncio.run(attacking())


def test_a_form_of_another_origin_changes_nothing(admin: AdminClient, origin: Origin, tmp_path: Path) -> None:
    submit = (
        "Object.assign(document.body.appendChild(document.createElement('form')),"
        f" {{method: 'POST', enctype: 'text/plain', action: 'http://127.0.0.1:{admin.port}/purge'}})"
        ".appendChild(Object.assign(document.createElement('input'),"
        """ {name: '{"all": true, "x": "', value: '"}'})).form.submit()"""
    )

    async def attacking() -> None:
        async with browser_page(tmp_path / "profile") as page:
            await attacker(page, origin, "attacker.example")
            await page.value(submit)
            await page.shows("location.pathname === '/purge'")
            assert "another origin" in str(await page.value("document.body.innerText"))

    asyncio.run(attacking())


def test_the_page_is_shown_in_no_frame_and_its_scripts_run_in_no_other_page(
    admin: AdminClient, origin: Origin, tmp_path: Path
) -> None:
    base = f"http://127.0.0.1:{admin.port}/page/"

    async def attacking() -> None:
        async with browser_page(tmp_path / "profile") as page:
            await attacker(page, origin, "127.0.0.1")  # of the same site, so that the browser lists its frames
            await page.value(loading("iframe", document="body", src=f"{base}#token={admin.token}"))
            assert await page.frames() == ["chrome-error://chromewebdata/"]
            script = loading("script", document="head", src=f"{base}main.js", type="module")
            assert await page.value(script) == "error"

    asyncio.run(attacking())


def loading(name: str, document: str, **attributes: str) -> str:
    """Return JavaScript that adds an element to a document; its value is "load" or "error"."""
    made = f"Object.assign(document.createElement('{name}'), {json.dumps(attributes)})"
    events = "onload: () => resolve('load'), onerror: () => resolve('error')"
    return f"new Promise((resolve) => document.{document}.append(Object.assign({made}, {{{events}}})))"


@pytest.mark.parametrize("knows_the_token", [False, True])
def test_a_name_that_resolves_to_this_machine_now_is_refused(
    knows_the_token: bool, admin: AdminClient, tmp_path: Path
) -> None:
    """DNS rebinding: for the browser, the admin listener is of the attacker's own origin."""
    fields = admin.authorization if knows_the_token else {}
    reads = [path for path in READS if path != "/metrics" or not knows_the_token]  # Prometheus asks by any name

    async def attacking() -> None:
        async with browser_page(tmp_path / "profile") as page:
            await page.open(f"http://rebinding.example:{admin.port}/page/")
            await page.shows("document.body?.innerText.includes('names no host of this listener') ?? false")
            assert await page.value("location.origin") == f"http://rebinding.example:{admin.port}"
            for path in [*reads, "/page/", "/page/main.js"]:
                assert await page.value(asked(path, headers=fields)) == 403
            for method, path, content in CHANGES:
                sent = {**fields, "Content-Type": "application/json"}
                assert await page.value(asked(path, method, content, headers=sent)) == 403

    asyncio.run(attacking())


# ---- texts of strangers

MARK = "window.hacked=1"
TEXTS = (
    f"<img/src=x/onerror={MARK}>",
    f"'\"><script>{MARK}</script>",
    f"<svg/onload={MARK}>",
    f"</title></style></textarea><iframe/srcdoc='<script>parent.{MARK}</script>'>",
)

WATCHED = (
    "window.violations = [];"
    "addEventListener('securitypolicyviolation', (event) => violations.push(event.blockedURI));"
    "const open = () => document.querySelectorAll('details:not([open])').forEach((each) => (each.open = true));"
    "new MutationObserver(open).observe(document.body, {childList: true, subtree: true}); true"
)
"""Notes what the policy of the page forbids, and opens all that can be opened as soon as it is there."""


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory, origin: Origin) -> Iterator[Proxy]:
    """A proxy whose origins and clients are hostile: in URLs, names and values of fields, reasons and bodies."""
    with Proxy(tmp_path_factory.mktemp("visited"), settings={"ORIGIN__PROXY": "none"}) as proxy:
        for number, text in enumerate(TEXTS):
            target = f"/{number}?{text.replace(' ', '+')}"
            fields = {"Cache-Control": "max-age=600", "Content-Type": "text/html", "X-Odd": text, "Vary": "X-Client"}
            visit(proxy, serve_page(origin, target, f"<body>{text}".encode(), fields), {"X-Client": text})
            refused = {"Cache-Control": "no-store", "Set-Cookie": text, "Cache-Tag": text}
            visit(proxy, serve_page(origin, f"/refused{target}", text.encode(), refused))
            visit(proxy, origin.offer(f"/reason{target}", _with_reason(text)))
        admin_of(proxy).send("PUT", "/modes", {"mode": "offline", "host": "missing.example"})
        for text in TEXTS:
            visit(proxy, f"http://missing.example/?{text.replace(' ', '+')}")
        yield proxy


def _with_reason(text: str) -> Callable[[Exchange], None]:
    """Return a page whose status line has a text."""

    def answer(exchange: Exchange) -> None:
        exchange.send_response(200, text)
        exchange.send_header("Cache-Control", "max-age=600")
        exchange.send_header("Content-Length", "0")
        exchange.end_headers()

    return answer


def test_no_text_of_a_stranger_runs_in_any_view(visited: Proxy, tmp_path: Path) -> None:
    async def reading(page: Page) -> None:
        await page.value(WATCHED)
        views = await page.value("[...document.querySelectorAll('nav a')].map((each) => each.hash)")
        assert isinstance(views, list)
        for view in views:
            await page.value(f"location.hash = '{view}'")
            await page.shows(f"!document.querySelector('{view}').hidden")
        await page.shows(f"document.querySelector('#missing').textContent.includes({json.dumps(TEXTS[0])})")
        for place in ("#live-list", "#top-misses", "#store-list"):
            await page.value(f"location.hash = '{'store' if place == '#store-list' else 'live'}'")
            await page.shows(f"document.querySelectorAll('{place} button').length >= {len(TEXTS)}")
            buttons = await page.value(f"document.querySelectorAll('{place} button').length")
            for number in range(int(str(buttons))):
                await page.value(f"document.querySelectorAll('{place} button')[{number}]?.click()")
                await page.shows("!document.querySelector('#why-content').innerText.includes('Asking the proxy')")
                await page.value("document.querySelectorAll('.preview button').forEach((each) => each.click())")
                await page.shows("document.querySelectorAll('.preview button').length === 0")
                await page.press("Escape")
        assert await page.value("[window.hacked, violations.length]") == [None, 0]
        assert await page.value("document.querySelectorAll('img, iframe, main script').length") == 0

    look(visited, tmp_path, reading)
