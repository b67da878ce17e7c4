"""A real proxy puts everything on record, and replays it when the origin says something else, or is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.fixtures.proxy_process import Proxy
from tests.fixtures.site import page
from tests.fixtures.web_origin import Exchange, Origin

SETTINGS = {"ORIGIN__PROXY": "none"}


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


def get(proxy: Proxy, url: str, **fields: str) -> tuple[int, bytes, str]:
    """Return status, content, and how it was handled."""
    answer = requests.get(url, proxies={"http": proxy.url}, headers=fields, timeout=60, allow_redirects=False)
    return answer.status_code, answer.content, answer.headers.get("Cache-Status", "").partition("; ")[2]


def test_a_recording_holds_what_no_cache_keeps_and_a_newer_fetch_does_not_change_it(
    tmp_path: Path, origin: Origin
) -> None:
    url = page(origin, "/a", b"then", {"Cache-Control": "no-store", "Vary": "Authorization", "Set-Cookie": "a=1"})
    large = page(origin, "/large", bytes(200_000), {})
    with Proxy(tmp_path, settings=SETTINGS) as proxy:
        assert proxy.run("record", "demo").startswith("recording demo;")
        recorded = (200, b"then", "fwd=bypass; stored; detail=recording")
        assert get(proxy, url, Authorization="Bearer 1") == recorded
        assert get(proxy, url, Authorization="Bearer 1") == recorded  # an origin is asked every time
        assert get(proxy, large)[0] == 200
        assert proxy.run("record", "--stop") == "demo has ended\n"

        page(origin, "/a", b"now", {"Cache-Control": "max-age=600"})
        assert get(proxy, url)[:2] == (200, b"now")
        assert get(proxy, url)[:2] == (203, b"now")
        proxy.run("replay", "demo")
        asked = len(origin.requests)
        status, content, handling = get(proxy, url, **{"Cache-Control": "no-cache"})
        assert (status, content) == (203, b"then")
        assert handling.endswith("; detail=replay")
        assert get(proxy, large)[:2] == (203, bytes(200_000))
        status, content, _ = get(proxy, f"{url}bc")
        assert status == 504
        assert b"The recording demo has no response that may answer GET" in content
        assert f"Stored are, among others:\n  {url}\n".encode() in content
        assert b"reason: replay" in content
        assert len(origin.requests) == asked

        # what the operator throws out of the store is not what is pinned
        proxy.run("purge", "--all")
        assert get(proxy, url)[:2] == (203, b"then")
        assert proxy.run("replay", "--stop") == "demo has ended\n"
        assert get(proxy, url)[:2] == (200, b"now")


def test_a_client_that_has_a_copy_does_not_keep_the_content_from_being_recorded(tmp_path: Path, origin: Origin) -> None:
    url = page(origin, "/a", b"whole", {"ETag": '"1"'})
    with Proxy(tmp_path, command=("secondhand", "serve", "--record", "demo"), settings=SETTINGS) as proxy:
        assert get(proxy, url, **{"If-None-Match": '"1"'})[:2] == (200, b"whole")
        [seen] = origin.requests
        assert "if-none-match" not in seen.fields
        proxy.stop()
    with Proxy(tmp_path, command=("secondhand", "serve", "--replay", "demo"), settings=SETTINGS) as proxy:
        assert get(proxy, url)[:2] == (203, b"whole")
        assert get(proxy, url, **{"If-None-Match": '"1"'})[0] == 304
        assert get(proxy, url, Range="bytes=1-2")[:2] == (206, b"ho")
        answer = requests.post(url, b"x", proxies={"http": proxy.url}, timeout=60)
        assert (answer.status_code, answer.headers["Proxy-Status"].partition(";")[2].strip()[:5]) == (504, "error")
    assert len(origin.requests) == 1


def test_a_post_that_only_reads_is_replayed_to_whoever_sends_the_same(tmp_path: Path, origin: Origin) -> None:
    def echo(exchange: Exchange) -> None:
        sent = exchange.rfile.read(int(exchange.headers["Content-Length"]))
        exchange.reply(200, b"answer to " + sent, {"Cache-Control": "no-store"})

    def post(proxy: Proxy, url: str, content: bytes) -> tuple[int, bytes]:
        answer = requests.post(url, content, proxies={"http": proxy.url}, timeout=60)
        return answer.status_code, answer.content

    url, other = origin.offer("/graphql", echo), origin.offer("/other", echo)
    settings = tmp_path / "config.toml"
    settings.write_text('[[replay.post]]\npath = "/graphql"\n')
    command = ("secondhand", "serve", "--config", str(settings))
    with Proxy(tmp_path, command=command, settings=SETTINGS) as proxy:
        assert post(proxy, url, b"one") == (200, b"answer to one")  # nothing of it holds before
        proxy.run("record", "demo")
        for content in (b"one", b"two"):
            assert post(proxy, url, content) == (200, b"answer to " + content)
        assert post(proxy, other, b"one") == (200, b"answer to one")
        proxy.run("record", "--stop")
        proxy.run("replay", "demo")
        asked = len(origin.requests)
        assert post(proxy, url, b"two") == (203, b"answer to two")
        assert post(proxy, url, b"one") == (203, b"answer to one")
        assert post(proxy, url, b"three")[0] == 504
        assert post(proxy, other, b"one")[0] == 504
        assert get(proxy, url)[0] == 504
        assert len(origin.requests) == asked


def test_a_recording_that_is_not_there_or_in_use(tmp_path: Path, origin: Origin) -> None:
    with pytest.raises(AssertionError, match="there is no recording demo; recordings: none"):
        Proxy(tmp_path, command=("secondhand", "serve", "--replay", "demo"), settings=SETTINGS)
    with Proxy(tmp_path, command=("secondhand", "serve", "--record", "demo"), settings=SETTINGS) as proxy:
        for command in (("recordings", "remove", "demo"), ("scrub", "demo", "--field", "a")):
            with pytest.raises(Exception, match="exit status 1"):
                proxy.run(*command)
        assert get(proxy, page(origin, "/a"))[0] == 200
        proxy.run("record", "--stop")
        assert proxy.run("recordings", "remove", "demo") == "demo is gone\n"
