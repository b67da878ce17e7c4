"""A real proxy records all responses, and replays them when the origin has changed or is gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.fixtures.proxy_process import Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Exchange, Origin

SETTINGS = {"ORIGIN__PROXY": "none"}


def get(proxy: Proxy, url: str, **fields: str) -> tuple[int, bytes, str]:
    """Return status, content, and Cache-Status without the name of the cache."""
    response = requests.get(url, proxies={"http": proxy.url}, headers=fields, timeout=60, allow_redirects=False)
    return response.status_code, response.content, response.headers.get("Cache-Status", "").partition("; ")[2]


def test_a_recording_keeps_uncacheable_responses_and_later_fetches_do_not_change_it(
    tmp_path: Path, origin: Origin
) -> None:
    url = serve_page(origin, "/a", b"then", {"Cache-Control": "no-store", "Vary": "Authorization", "Set-Cookie": "a=1"})
    large = serve_page(origin, "/large", bytes(200_000), {})
    with Proxy(tmp_path, settings=SETTINGS) as proxy:
        assert proxy.run("record", "demo").startswith("recording demo;")
        recorded = (200, b"then", "fwd=bypass; stored; detail=recording")
        assert get(proxy, url, Authorization="Bearer 1") == recorded
        assert get(proxy, url, Authorization="Bearer 1") == recorded  # every request is forwarded to the origin
        assert get(proxy, large)[0] == 200
        assert proxy.run("record", "--stop") == "demo has ended\n"

        serve_page(origin, "/a", b"now", {"Cache-Control": "max-age=600"})
        assert get(proxy, url)[:2] == (200, b"now")
        assert get(proxy, url)[:2] == (203, b"now")
        proxy.run("replay", "demo")
        requests_before = len(origin.requests)
        status, content, handling = get(proxy, url, **{"Cache-Control": "no-cache"})
        assert (status, content) == (203, b"then")
        assert handling.endswith("; detail=replay")
        assert get(proxy, large)[:2] == (203, bytes(200_000))
        status, content, _ = get(proxy, f"{url}?page=2")
        assert status == 504
        assert b"The recording demo has no response that may answer GET" in content
        assert f"Similar URLs that are stored:\n  {url}\n".encode() in content
        assert b"reason: replay" in content
        assert len(origin.requests) == requests_before

        # a purge deletes from the proxy's own store, not from a recording
        proxy.run("purge", "--all")
        assert get(proxy, url)[:2] == (203, b"then")
        assert proxy.run("replay", "--stop") == "demo has ended\n"
        assert get(proxy, url)[:2] == (200, b"now")


def test_a_conditional_request_is_recorded_with_the_whole_content(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a", b"whole", {"ETag": '"1"'})
    with Proxy(tmp_path, command=("secondhand", "serve", "--record", "demo"), settings=SETTINGS) as proxy:
        assert get(proxy, url, **{"If-None-Match": '"1"'})[:2] == (200, b"whole")
        [seen] = origin.requests
        assert "if-none-match" not in seen.fields
        proxy.stop()
    with Proxy(tmp_path, command=("secondhand", "serve", "--replay", "demo"), settings=SETTINGS) as proxy:
        assert get(proxy, url)[:2] == (203, b"whole")
        assert get(proxy, url, **{"If-None-Match": '"1"'})[0] == 304
        assert get(proxy, url, Range="bytes=1-2")[:2] == (206, b"ho")
        response = requests.post(url, b"x", proxies={"http": proxy.url}, timeout=60)
        assert (response.status_code, response.headers["Proxy-Status"].partition(";")[2].strip()[:5]) == (504, "error")
    assert len(origin.requests) == 1


def test_responses_to_all_methods_are_recorded_and_exported_oldest_first(tmp_path: Path, origin: Origin) -> None:
    def echo(exchange: Exchange) -> None:
        content = exchange.rfile.read(int(exchange.headers.get("Content-Length", "0")))
        exchange.reply(200, b"%b %b" % (exchange.command.encode(), content), {})

    def pieces() -> Iterator[bytes]:
        yield from (b"in ", b"pieces")

    def chunked(exchange: Exchange) -> None:
        while exchange.rfile.readline() != b"0\r\n":
            exchange.rfile.readline()
        exchange.rfile.readline()
        exchange.reply(200, b"chunks", {})

    url, in_chunks = origin.offer("/z", echo), origin.offer("/a", chunked)
    preflight = {"Origin": "http://page.test", "Access-Control-Request-Method": "PUT"}
    with Proxy(tmp_path, settings=SETTINGS) as proxy:
        proxy.run("record", "demo")
        with requests.Session() as session:
            session.proxies = {"http": proxy.url}
            session.options(url, headers=preflight, timeout=60)
            for method, content in (("PUT", b"1"), ("POST", b"1"), ("POST", b"2" * 2_000_000), ("DELETE", b"")):
                response = session.request(method, url, data=content, timeout=60)
                assert response.headers["Cache-Status"] == "secondhand; fwd=method; stored"
            session.post(in_chunks, data=pieces(), timeout=60)
            session.get(url, timeout=60)
            proxy.run("record", "--stop")
            for form, name in (("har", "demo.har"), ("warc", "demo.warc.gz")):
                proxy.run("export", "demo", "--format", form, "--out", str(tmp_path / name))
                proxy.run("import", str(tmp_path / name), "--name", f"from-{form}")
                assert proxy.run("diff", "demo", f"from-{form}") == ""
            log = json.loads((tmp_path / "demo.har").read_text())["log"]
            assert [entry["request"]["method"] for entry in log["entries"]] == [
                *("OPTIONS", "PUT", "POST", "POST", "DELETE", "POST", "GET"),
            ]
            assert "no WebSockets" in log["comment"]

            proxy.run("replay", "demo")
            assert session.options(url, headers=preflight, timeout=60).status_code == 203
            assert session.get(url, timeout=60).text == "GET "
            refused = session.post(url, data=b"1", timeout=60)
            assert refused.status_code == 504
            assert "[[replay.post]]" in refused.text


def test_a_read_only_post_is_replayed_for_the_same_content(tmp_path: Path, origin: Origin) -> None:
    def echo(exchange: Exchange) -> None:
        content = exchange.rfile.read(int(exchange.headers["Content-Length"]))
        exchange.reply(200, b"answer to " + content, {"Cache-Control": "no-store"})

    def post(proxy: Proxy, url: str, content: bytes) -> tuple[int, bytes]:
        response = requests.post(url, content, proxies={"http": proxy.url}, timeout=60)
        return response.status_code, response.content

    url, other = origin.offer("/graphql", echo), origin.offer("/other", echo)
    settings = tmp_path / "config.toml"
    settings.write_text('[[replay.post]]\npath = "/graphql"\n')
    command = ("secondhand", "serve", "--config", str(settings))
    with Proxy(tmp_path, command=command, settings=SETTINGS) as proxy:
        # without a recording or a replay, the rule has no effect
        assert post(proxy, url, b"one") == (200, b"answer to one")
        proxy.run("record", "demo")
        long = b"3" * 2_000_000
        for content in (b"one", b"two", long):
            assert post(proxy, url, content) == (200, b"answer to " + content)
        assert post(proxy, other, b"one") == (200, b"answer to one")
        proxy.run("record", "--stop")
        proxy.run("replay", "demo")
        requests_before = len(origin.requests)
        assert post(proxy, url, b"two") == (203, b"answer to two")
        assert post(proxy, url, b"one") == (203, b"answer to one")
        assert post(proxy, url, long) == (203, b"answer to " + long)
        assert post(proxy, url, b"three")[0] == 504
        assert post(proxy, other, b"one")[0] == 504
        assert get(proxy, url)[0] == 504
        assert len(origin.requests) == requests_before


def test_a_missing_recording_is_not_replayed_and_one_in_use_is_not_removed(tmp_path: Path, origin: Origin) -> None:
    with pytest.raises(AssertionError, match="there is no recording demo; existing recordings: none"):
        Proxy(tmp_path, command=("secondhand", "serve", "--replay", "demo"), settings=SETTINGS)
    with Proxy(tmp_path, command=("secondhand", "serve", "--record", "demo"), settings=SETTINGS) as proxy:
        for command in (("recordings", "remove", "demo"), ("scrub", "demo", "--field", "a")):
            with pytest.raises(Exception, match="exit status 1"):
                proxy.run(*command)
        assert get(proxy, serve_page(origin, "/a"))[0] == 200
        proxy.run("record", "--stop")
        assert proxy.run("recordings", "remove", "demo") == "demo is gone\n"
