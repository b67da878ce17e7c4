"""The page in a browser, on a proxy with real traffic; the questions that people have are put to it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.fixtures.admin_client import admin_of, visit
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin
from tests.programs.devtools import Page, browser_page
from tests.programs.page_visits import HOSTILE, answer, answer_no_more, fill, go, hold, look, release, shows, text_of


def test_the_token_is_not_in_the_address_any_more_once_the_page_is_shown(used: Proxy, tmp_path: Path) -> None:
    async def reading(page: Page) -> None:
        assert await page.value("location.hash") == "#overview"

    look(used, tmp_path, reading)


def test_requests_are_listed_as_they_are_answered_and_each_is_explained(
    used: Proxy, origin: Origin, tmp_path: Path
) -> None:
    url = serve_page(origin, "/just-now")

    async def watching(page: Page) -> None:
        await go(page, "live")
        await shows(page, "#live-list", "/static/59")
        visit(used, url)
        await shows(page, "#live-list", url)
        await page.value("document.querySelector('#live-filters').elements.url.value = 'just-now'")
        await page.value("document.querySelector('#live-filters').dispatchEvent(new Event('input'))")
        await page.shows("document.querySelectorAll('#live-list tbody tr').length === 1")
        await page.value("document.querySelector('#live-list button').click()")
        await shows(page, "#why-content", "A request now would get the copy.")
        drawer = str(await page.value(text_of("#why-content")))
        assert "fresh: the lifetime is longer than the age" in drawer
        assert "fresh for another 10 min" in drawer
        differs = await page.value(
            "[...document.querySelectorAll('tr.differs td:first-child')].map((each) => each.innerText)"
        )
        assert isinstance(differs, list)
        assert {"status", "Age", "Cache-Status"} <= set(differs)
        await page.press("Escape")
        await page.shows("!document.querySelector('#why').open")

    look(used, tmp_path, watching)


async def hide(page: Page, is_hidden: str = "true") -> None:
    """Let the page be in a tab that is not shown."""
    await page.value(f"Object.defineProperty(document, 'hidden', {{configurable: true, value: {is_hidden}}})")
    await page.value("document.dispatchEvent(new Event('visibilitychange'))")


async def unhide(page: Page) -> None:
    await hide(page, "false")


def test_a_hidden_page_holds_no_connection_and_misses_nothing(used: Proxy, origin: Origin, tmp_path: Path) -> None:
    """Browsers open six connections to one server. With a stream for each hidden tab, a seventh tab would hang."""
    url = serve_page(origin, "/while-hidden")

    async def hiding(page: Page) -> None:
        await go(page, "live")
        await shows(page, "#live-list", "/static/59")
        await hide(page)
        visit(used, url)
        await asyncio.sleep(2)  # longer than it takes to show an exchange
        assert "/while-hidden" not in str(await page.value(text_of("#live-list")))
        await unhide(page)
        await shows(page, "#live-list", url)

    look(used, tmp_path, hiding)


def test_texts_of_strangers_are_shown_and_never_run(used: Proxy, origin: Origin, tmp_path: Path) -> None:
    url = f"http://localhost:{origin.port}/{HOSTILE}"

    async def reading(page: Page) -> None:
        await go(page, "live")
        await shows(page, "#live-list", HOSTILE)
        for view, place in (("store", "#store-list"), ("live", "#live-list")):
            await go(page, view)
            await page.shows(
                f"[...document.querySelectorAll('{place} button')].some((each) => each.innerText.includes('onerror'))"
            )
        buttons = "[...document.querySelectorAll('#live-list button')]"
        await page.value(f"{buttons}.find((each) => each.innerText.includes('onerror')).click()")
        await shows(page, "#why-content", f"X-Odd\t{HOSTILE}")
        assert url in str(await page.value(text_of("#why-title")))
        assert await page.value("document.querySelectorAll('img').length") == 0
        assert await page.value("window.hacked") is None
        refused = "try { document.body.innerHTML = '<p>'; 'done' } catch (error) { error.name }"
        assert await page.value(refused) == "TypeError"  # the policy forbids what the code does not do anyway

    look(used, tmp_path, reading)


def test_a_purge_is_counted_before_it_is_done(used: Proxy, origin: Origin, tmp_path: Path) -> None:
    url = serve_page(origin, "/purged/1")
    visit(used, url)

    async def purging(page: Page) -> None:
        await go(page, "purge")
        await fill(page, "purge-form", kind="prefix", value=url[:-1])
        await shows(page, "#purge-count", "1 stored response with 5 bytes would be deleted.")
        assert len(admin_of(used).get(f"/show?url={url}").json["variants"]) == 1
        await page.value("document.querySelector('#purge-confirm').click()")
        await shows(page, "#purge-count", "1 stored response deleted.")
        assert admin_of(used).get(f"/show?url={url}").json["variants"] == []

    look(used, tmp_path, purging)


def test_modes_and_recordings_are_switched(used: Proxy, origin: Origin, tmp_path: Path) -> None:
    url = serve_page(origin, "/recorded")

    async def switching(page: Page) -> None:
        await page.value("document.querySelector('[data-mode=offline]').click()")
        await shows(page, "#warnings", "Offline: no origin is asked")
        assert admin_of(used).get("/modes").json["mode"] == "offline"
        await page.value("document.querySelector('[data-mode=auto]').click()")
        await page.shows("document.querySelector('[data-mode=auto]').ariaPressed === 'true'")
        await go(page, "modes")
        await fill(page, "record-form", name="first")
        await shows(page, "#recordings", "End recording")
        visit(used, url)
        await page.value("document.querySelector('#recordings button').click()")
        await shows(page, "#recordings", "Replay")
        assert admin_of(used).get("/recordings").json["recordings"][0]["responses"] == 1

    look(used, tmp_path, switching)


def test_the_store_is_listed_in_parts_and_what_was_never_used_alone(used: Proxy, tmp_path: Path) -> None:
    async def listing(page: Page) -> None:
        await go(page, "store")
        await page.shows("document.querySelectorAll('#store-list tbody tr').length === 50")
        await page.value("document.querySelector('#store-next').click()")
        await shows(page, "#store-list", "/static/59")
        await page.value("document.querySelector('[data-list=never]').click()")
        await page.shows("document.querySelectorAll('#store-list tbody tr').length === 50")
        uses = "[...document.querySelectorAll('#store-list tbody tr')].map((row) => row.cells[6].innerText)"
        assert await page.value(f"[...new Set({uses})]") == ["never"]
        assert await page.value("document.querySelector('#store-form').elements.never_used.checked") is True

    look(used, tmp_path, listing)


def test_hosts_are_compared(used: Proxy, origin: Origin, tmp_path: Path) -> None:
    async def comparing(page: Page) -> None:
        await go(page, "hosts")
        await shows(page, "#hosts-table", f"localhost:{origin.port}")
        await shows(page, "#times", "less than 1 ms")
        await shows(page, "#origins", "All origins answered when they were last asked.")

    look(used, tmp_path, comparing)


@pytest.mark.parametrize("token", ["", "#token=0123456789abcdef0123456789abcdef"])
def test_without_the_token_the_page_shows_nothing_but_how_to_get_it(used: Proxy, token: str, tmp_path: Path) -> None:
    admin = admin_of(used)

    async def looking() -> None:
        async with browser_page(tmp_path / "profile") as page:
            await page.open(f"http://127.0.0.1:{admin.port}/page/{token}")
            await page.shows("document.querySelector('#no-token')?.hidden === false")
            assert await page.value(text_of("#works")) == ""
            assert "secondhand page" in str(await page.value(text_of("#no-token")))

    asyncio.run(looking())


def test_a_late_count_is_not_offered_for_another_selection(used: Proxy, origin: Origin, tmp_path: Path) -> None:
    url = f"http://localhost:{origin.port}/static/0"

    async def changing(page: Page) -> None:
        await go(page, "purge")
        await hold(page, "/purge")
        await fill(page, "purge-form", kind="prefix", value=url)
        field = "document.querySelector('#purge-form').elements.value"
        await page.value(f"{field}.value = 'x'; {field}.dispatchEvent(new Event('input', {{bubbles: true}}))")
        await release(page)
        assert await page.value("document.querySelector('#purge-confirm').hidden")
        await fill(page, "purge-form", kind="prefix", value=url)
        await shows(page, "#purge-confirm", f"Delete 10 responses: all URLs that begin with {url}")

    look(used, tmp_path, changing)


def test_a_late_explanation_is_not_shown_under_another_url(used: Proxy, tmp_path: Path) -> None:
    async def choosing(page: Page) -> None:
        await go(page, "live")
        await shows(page, "#live-list", "/secret")
        choose = (
            "[...document.querySelectorAll('#live-list button')].find((each) => each.innerText.includes('%s')).click()"
        )
        await hold(page, "secret")
        await page.value(choose % "/secret")
        await page.value(choose % "/static/00")
        await shows(page, "#why-content", "A request now would get the copy.")
        await release(page)
        assert "A request now would get the copy." in str(await page.value(text_of("#why-content")))

    look(used, tmp_path, choosing)


def test_requests_are_listed_when_the_token_comes_after_the_page(used: Proxy, tmp_path: Path) -> None:
    address, _, token = used.run("page", "--print-url").strip().partition("#")

    async def looking() -> None:
        async with browser_page(tmp_path / "profile") as page:
            await page.open(address)
            await page.shows("document.querySelector('#no-token')?.hidden === false")
            await page.value(f"location.hash = {json.dumps(token)}")
            await shows(page, "#works", "requests since")
            await go(page, "live")
            await shows(page, "#live-list", "/static/59")

    asyncio.run(looking())


def test_the_list_of_requests_says_that_it_waits_for_the_focus_to_leave(
    used: Proxy, origin: Origin, tmp_path: Path
) -> None:
    url = serve_page(origin, "/while-reading")

    async def reading(page: Page) -> None:
        await go(page, "live")
        await shows(page, "#live-list", "/static/59")
        await page.value("document.querySelector('#live-list').focus()")
        visit(used, url)
        await page.shows("!document.querySelector('#live-held').hidden")
        await page.value("document.activeElement.blur()")
        await shows(page, "#live-list", url)
        assert await page.value("document.querySelector('#live-held').hidden")

    look(used, tmp_path, reading)


def test_the_chart_leaves_out_the_time_for_which_nobody_looked(used: Proxy, origin: Origin, tmp_path: Path) -> None:
    url = serve_page(origin, "/unseen")

    async def returning(page: Page) -> None:
        await page.value("document.querySelector('[data-range=live]').click()")
        await hold(page, "/stats")
        await page.shows("held.length")
        for _ in range(5):
            visit(used, url)
        await page.value("window.real = Date.now; Date.now = () => real() + 60_000; true")
        await release(page)
        visit(used, url)
        await shows(page, "#chart", "1 response in the last 5 minutes")

    look(used, tmp_path, returning)


def test_what_only_the_overview_shows_is_asked_for_there_alone(used: Proxy, tmp_path: Path) -> None:
    async def leaving(page: Page) -> None:
        await answer(page, "send(path, ...rest)")  # to note the paths
        await go(page, "live")
        await page.shows("document.querySelector('#overview').hidden")
        await page.value("paths.length = 0; true")
        await page.shows("paths.filter((path) => path === '/stats').length > 1")
        assert not await page.value("paths.includes('/missing') || paths.includes('/not-stored')")
        await go(page, "overview")
        await page.shows("paths.includes('/missing') && paths.includes('/not-stored')")

    look(used, tmp_path, leaving)


def test_a_stream_of_requests_that_is_refused_says_why(used: Proxy, tmp_path: Path) -> None:
    async def waiting(page: Page) -> None:
        refusal = "Promise.resolve(Response.json({detail: '20 clients listen already.'}, {status: 503}))"
        await answer(page, refusal, "path === '/exchanges'")
        await hide(page)
        await unhide(page)  # the stream is asked for anew
        await shows(page, "#message", "20 clients listen already. Trying again.")
        await answer_no_more(page)
        await page.shows(f"({text_of('#message')}) === ''")

    look(used, tmp_path, waiting)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("Promise.reject(new TypeError('Failed to fetch'))", "The proxy does not answer."),
        (
            "Promise.resolve(new Response(new ReadableStream({start: (body) => body.error(new TypeError())})))",
            "The proxy does not answer.",
        ),
        ("Promise.reject(new DOMException('', 'TimeoutError'))", "The proxy has not answered within 65 seconds."),
        (
            "Promise.resolve(Response.json({detail: 'no process serves clients'}, {status: 503}))",
            "no process serves clients",
        ),
        ("Promise.resolve(new Response('', {status: 500}))", "The proxy has answered with status 500."),
    ],
    ids=["no_connection", "half_an_answer", "too_late", "problem", "status_alone"],
)
def test_the_page_says_why_it_has_no_answer_until_it_has_one(
    reply: str, said: str, used: Proxy, tmp_path: Path
) -> None:
    async def waiting(page: Page) -> None:
        await answer(page, reply)
        await shows(page, "#message", said)
        await answer_no_more(page)
        await page.shows(f"({text_of('#message')}) === ''")

    look(used, tmp_path, waiting)
