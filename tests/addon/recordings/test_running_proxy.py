"""A real proxy puts everything on record, and replays it when the origin says something else, or is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.addon.warm.site import page
from tests.clients.origin import Origin
from tests.clients.proxy import Proxy

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
