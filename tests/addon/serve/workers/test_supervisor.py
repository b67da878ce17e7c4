"""A real proxy with several workers: they serve on the same sockets, and are replaced when they die."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest
import requests

from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.proxy_with_workers import kill_a_worker, start_workers, wait_until_gone, workers_of
from tests.fixtures.slow_page import SlowPage
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin

FRESH = {"Cache-Control": "max-age=600"}


def get(proxy: Proxy, url: str) -> requests.Response:
    """Return the response to a request on a connection of its own."""
    return requests.get(url, proxies={"http": proxy.url}, timeout=TIMEOUT)


def test_workers_share_socket_and_store_and_the_supervisor_serves_nobody(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a", b"a", FRESH)
    with start_workers(tmp_path) as proxy:
        assert len(workers_of(proxy)) == 2
        assert get(proxy, url).status_code == 200
        proxy.run("stats")
        assert {get(proxy, url).status_code for _ in range(20)} <= {200, 203}
        assert proxy.counters()["requests"] == 21
        [stats] = json.loads(proxy.run("stats", "--json"))["proxies"]
        assert sum(host["requests"] for host in stats["hosts"].values()) == 21
        proxy.stop()
        assert proxy.messages == ""


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a", b"a", FRESH)
    with start_workers(tmp_path) as proxy:
        get(proxy, url)
        _, other = workers_of(proxy)
        kill_a_worker(proxy)
        assert other in workers_of(proxy)
        assert len(workers_of(proxy)) == 2
        assert get(proxy, url).status_code in (200, 203)


def test_workers_end_when_their_supervisor_is_killed(tmp_path: Path, origin: Origin) -> None:
    slow = SlowPage(FRESH)
    url = origin.offer("/slow", slow)
    with start_workers(tmp_path) as proxy:
        with requests.get(url, proxies={"http": proxy.url}, timeout=TIMEOUT, stream=True) as response:
            left = workers_of(proxy)
            proxy.kill()
            slow.release()
            assert response.content == slow.content
        for each in left:
            wait_until_gone(each)
    assert "the supervisor has ended" in proxy.messages


def test_a_response_under_way_is_completed_when_the_proxy_stops(tmp_path: Path, origin: Origin) -> None:
    slow = SlowPage(FRESH)
    url = origin.offer("/slow", slow)
    with start_workers(tmp_path) as proxy:
        with requests.get(url, proxies={"http": proxy.url}, timeout=TIMEOUT, stream=True) as response:
            proxy.signal(signal.SIGTERM)
            slow.release()
            assert response.content == slow.content
        assert proxy.wait() == 0
        assert "/slow" in proxy.run("ls")


def test_a_second_signal_ends_all_workers_at_once(tmp_path: Path, origin: Origin) -> None:
    slow = SlowPage(FRESH)
    url = origin.offer("/slow", slow)
    with start_workers(tmp_path, DRAIN_TIMEOUT="1h") as proxy:
        with requests.get(url, proxies={"http": proxy.url}, timeout=TIMEOUT, stream=True) as response:
            proxy.signal(signal.SIGTERM)
            proxy.signal(signal.SIGINT)
            assert proxy.wait() == 0
            with pytest.raises((requests.RequestException, AssertionError)):
                assert response.content == slow.content
        slow.release()


# ---- settings


@pytest.mark.parametrize(
    ("options", "settings", "message"),
    [
        ((), {"STORE__KIND": "memory"}, "workers: found 2, expected 1 with store.kind"),
        (("--no-door",), {}, "workers: found 2, expected 1 with --script, --mode or --no-door"),
        ((), {"LOG__ACCESS": "/nowhere/a.log"}, 'log.access: found "/nowhere/a.log", expected'),
        ((), {"ORIGIN__CA_FILES": '["/nowhere"]'}, "/nowhere"),
        ((), {"LISTEN": "192.0.2.1:80"}, "cannot listen on 192.0.2.1:80"),
    ],
    ids=["memory", "mitmproxy", "log", "file", "address"],
)
def test_what_cannot_work_is_said_at_the_start(
    options: tuple[str, ...], settings: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match=re.escape(message)):
        start_workers(tmp_path, *options, **settings)


def test_each_line_of_the_log_names_its_process(tmp_path: Path) -> None:
    with start_workers(tmp_path, LOG__LEVEL="info") as proxy:
        kill_a_worker(proxy)
        assert f" [{proxy.pid}] ERROR " in proxy.messages


# ---- commands


def test_commands_reach_all_workers_and_those_that_start_later(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a", b"a", FRESH)
    with start_workers(tmp_path) as proxy:
        proxy.run("offline")
        proxy.run("online", "b.example")
        kill_a_worker(proxy)
        assert {get(proxy, url).status_code for _ in range(20)} == {504}
        modes = json.loads(proxy.run("mode", "--json"))
        assert [(each["mode"], each["hosts"]) for each in modes] == [("offline", {"b.example": "online"})]
        proxy.run("auto")
        assert {get(proxy, url).status_code for _ in range(20)} <= {200, 203}


def test_a_purge_is_seen_by_all_workers_at_once(tmp_path: Path, origin: Origin) -> None:
    with start_workers(tmp_path) as proxy:
        for number in range(10):
            url = serve_page(origin, "/a", b"%d" % number, FRESH)
            while get(proxy, url).status_code != 203:
                pass
            assert {get(proxy, url).content for _ in range(10)} == {b"%d" % number}
            proxy.run("purge", url)
            serve_page(origin, "/a", b"%d" % (number + 1), FRESH)
            assert {get(proxy, url).content for _ in range(10)} == {b"%d" % (number + 1)}
            proxy.run("purge", "--all")


def test_counters_of_workers_that_have_ended_in_order_stay(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a", b"a", FRESH)
    with start_workers(tmp_path) as proxy:
        for _ in range(20):
            get(proxy, url)
        for each in workers_of(proxy):
            os.kill(each, signal.SIGTERM)
            wait_until_gone(each)
        while len(workers_of(proxy)) < 2:
            time.sleep(0.01)
        get(proxy, url)
        assert proxy.counters()["requests"] == 21


def test_all_workers_make_and_replay_a_recording(tmp_path: Path, origin: Origin) -> None:
    with start_workers(tmp_path) as proxy:
        proxy.run("record", "demo")
        urls = [serve_page(origin, f"/{number}", b"%d" % number) for number in range(20)]
        for url in urls:
            assert "recording" in get(proxy, url).headers["Cache-Status"]
        proxy.run("record", "--stop")
        proxy.run("replay", "demo")
        kill_a_worker(proxy)
        assert [get(proxy, url).content for url in urls] == [b"%d" % number for number in range(20)]
        proxy.run("replay", "--stop")
        assert json.loads(proxy.run("mode", "--json"))[0]["recording"] is None
