"""The access log of a real proxy: with mitmproxy, with several workers, and renamed while it is written."""

from __future__ import annotations

import http.client
import json
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.proxy_with_workers import start_workers, workers_of
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin


def logged_in(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def ask(proxy: Proxy, url: str) -> None:
    """Send a request, and read the response."""
    with closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=TIMEOUT)) as connection:
        connection.request("GET", url)
        connection.getresponse().read()


@pytest.mark.parametrize("options", [(), ("--no-door",)], ids=["own front end", "mitmproxy"])
def test_both_programs_log_the_same(options: Sequence[str], tmp_path: Path, origin: Origin) -> None:
    page = serve_page(origin, "/page", b"page", {"Cache-Control": "max-age=600"})
    cookie = serve_page(origin, "/cookie", b"cookie", {"Set-Cookie": "a=b"})
    settings = {"ORIGIN__PROXY": "none", "LOG__ACCESS": str(tmp_path / "access.log"), "LOG__ACCESS_FORMAT": "json"}
    with Proxy(tmp_path, command=("secondhand", "serve", *options), settings=settings) as proxy:
        for url in (page, page, cookie, "http://localhost:1/"):
            ask(proxy, url)
        proxy.stop()
    lines = logged_in(tmp_path / "access.log")
    assert [(line["decision"], line["reason"], line["status"]) for line in lines] == [
        ("uri-miss", None, 200),
        ("hit", None, 203),
        ("uri-miss", "set-cookie", 200),
        ("refused", "fetch-failed", 502),
    ]
    assert [line["upstream_header_time"] is None for line in lines] == [False, True, False, True]
    assert {line["server_protocol"] for line in lines} == {"HTTP/1.1"}


def test_lines_of_several_workers_stay_whole_while_the_log_is_renamed(tmp_path: Path, origin: Origin) -> None:
    page = serve_page(origin, "/page", b"page", {"Cache-Control": "max-age=600"})
    log, rotated = tmp_path / "access.log", tmp_path / "rotated"
    settings = {"LOG__ACCESS": str(log), "LOG__ACCESS_FORMAT": "json"}
    with start_workers(tmp_path, **settings) as proxy:
        workers = set(workers_of(proxy))

        def ask_often() -> None:
            for _ in range(200):
                ask(proxy, page)

        for _ in range(2):
            clients = [threading.Thread(target=ask_often) for _ in range(4)]
            for each in clients:
                each.start()
            for each in clients:
                each.join()
            if not rotated.exists():
                log.rename(rotated) if log.exists() else None
                proxy.signal(signal.SIGUSR1)
                while not log.exists():
                    time.sleep(0.01)
        proxy.stop()
    lines = logged_in(log) + (logged_in(rotated) if rotated.exists() else [])
    assert len(lines) == 1600
    assert {line["pid"] for line in lines} == workers


@pytest.mark.parametrize("options", [(), ("--no-door",)], ids=["own front end", "mitmproxy"])
def test_both_programs_give_a_request_one_id(options: Sequence[str], tmp_path: Path, origin: Origin) -> None:
    page = serve_page(origin, "/page", b"page", {"Cache-Control": "max-age=600", "X-Request-Id": "origin"})
    settings = {
        "ORIGIN__PROXY": "none",
        "LOG__ACCESS": str(tmp_path / "access.log"),
        "LOG__ACCESS_FORMAT": "json",
        "ANSWER__REQUEST_ID": "true",
        "ANSWER__SERVER_TIMING": "true",
    }
    shown = []
    with Proxy(tmp_path, command=("secondhand", "serve", *options), settings=settings) as proxy:
        for _ in range(2):
            with closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=TIMEOUT)) as connection:
                connection.request("GET", page)
                fields = connection.getresponse().headers
                shown.append((fields.get_all("X-Request-Id"), str(fields["Server-Timing"]).partition(",")[0]))
        proxy.stop()
    lines = logged_in(tmp_path / "access.log")
    assert shown == [
        ([line["request_id"]], f'cache;desc="{decision}"')
        for line, decision in zip(lines, ("uri-miss", "hit"), strict=True)
    ]
    (asked,) = origin.requests_for("/page")
    assert asked.fields["x-request-id"] == lines[0]["request_id"]


def test_another_format_is_in_force_after_a_reload(tmp_path: Path, origin: Origin) -> None:
    page = serve_page(origin, "/page", b"page", {"Cache-Control": "max-age=600"})
    config, log = tmp_path / "config.toml", tmp_path / "access.log"
    text = f'origin.proxy = "none"\n[log]\naccess = "{log}"\naccess_format = '
    config.write_text(text + '"$status $decision"')
    with Proxy(tmp_path, command=("secondhand", "serve", "--config", str(config))) as proxy:
        for _ in range(3):
            ask(proxy, page)
        config.write_text(text + '"json"')
        proxy.signal(signal.SIGHUP)
        proxy.wait_for_message("settings reloaded")
        ask(proxy, page)
        config.write_text(text + '"$no_such"')
        proxy.signal(signal.SIGHUP)
        proxy.wait_for_message("settings not reloaded")
        ask(proxy, page)
        proxy.stop()
    *before, hit, last = log.read_text().splitlines()
    assert before == ["200 uri-miss", "203 hit", "203 hit"]
    assert [json.loads(line)["decision"] for line in (hit, last)] == ["hit", "hit"]
