"""A recording begins and ends while clients are being answered: nobody is cut off, and nothing is left of it."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
import requests

from tests.fixtures.proxy_process import PATIENCE, Proxy
from tests.fixtures.site import page
from tests.fixtures.throwaway_ca import Authority
from tests.fixtures.web_origin import Exchange, Origin

SETTINGS = {"ORIGIN__PROXY": "none"}
LARGE = bytes(range(256)) * 131_072


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


def get(proxy: Proxy, url: str) -> requests.Response:
    return requests.get(url, proxies={"http": proxy.url}, timeout=PATIENCE)


def mode(proxy: Proxy) -> tuple[str, str | None]:
    (said,) = json.loads(proxy.run("mode", "--json"))
    return said["mode"], said["recording"]


def until(happened: Callable[[], bool]) -> None:
    while not happened():
        pass


def test_an_answer_under_way_when_a_recording_ends_is_in_it(tmp_path: Path, origin: Origin) -> None:
    asked, go_on = Event(), Event()

    def slow(exchange: Exchange) -> None:
        asked.set()
        go_on.wait(PATIENCE)
        exchange.reply(200, b"at last", {})

    url = origin.offer("/slow", slow)
    with Proxy(tmp_path, settings=SETTINGS) as proxy, ThreadPoolExecutor() as pool:
        proxy.run("record", "demo")
        answer = pool.submit(get, proxy, url)
        assert asked.wait(PATIENCE)
        stopped = proxy.start("record", "--stop")
        until(lambda: mode(proxy) == ("auto", None))
        go_on.set()
        assert answer.result().content == b"at last"
        assert stopped.communicate(timeout=PATIENCE)[0] == "demo has ended\n"
        [recorded] = json.loads(proxy.run("recordings", "list", "--json"))
        assert recorded["responses"] == 1


def test_a_client_in_the_middle_of_a_replayed_answer_gets_the_rest(tmp_path: Path, origin: Origin) -> None:
    url = page(origin, "/large", LARGE, {})
    with Proxy(tmp_path, settings=SETTINGS) as proxy:
        proxy.run("record", "demo")
        assert get(proxy, url).content == LARGE
        proxy.run("record", "--stop")
        proxy.run("replay", "demo")
        with socket.create_connection(("127.0.0.1", proxy.port), PATIENCE) as client:
            client.sendall(f"GET {url} HTTP/1.1\r\nHost: {url.split('/')[2]}\r\nConnection: close\r\n\r\n".encode())
            taken = client.recv(1000)
            assert taken.startswith(b"HTTP/1.1 203 ")
            assert proxy.run("replay", "--stop") == "demo has ended\n"
            assert mode(proxy) == ("auto", None)
            with client.makefile("rb") as rest:
                taken += rest.read()
        assert taken.partition(b"\r\n\r\n")[2] == LARGE
        proxy.stop()
    assert "failed" not in (tmp_path / "log").read_text()


def test_a_replay_is_a_mode_that_others_end(tmp_path: Path, origin: Origin) -> None:
    url = page(origin, "/a", b"then", {})
    with Proxy(tmp_path, settings=SETTINGS) as proxy:
        proxy.run("record", "demo")
        assert proxy.run("mode") == "auto, recording demo\n"
        assert get(proxy, url).status_code == 200
        proxy.run("record", "--stop")
        proxy.run("replay", "demo")
        assert proxy.run("mode") == "replay demo\n"
        with pytest.raises(subprocess.CalledProcessError):
            proxy.run("offline", "a.test")
        assert mode(proxy) == ("replay", "demo")
        assert proxy.run("online") == "online\n"
        page(origin, "/a", b"now", {})
        assert get(proxy, url).content == b"now"
        with pytest.raises(subprocess.CalledProcessError):
            proxy.run("replay", "--stop")


def test_a_site_over_tls_is_recorded_and_replayed_without_it(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "throwaway")

    def get_inside(proxy: Proxy, url: str) -> tuple[int, bytes]:
        ways, trust = {"https": proxy.url}, str(proxy.certificate)
        answer = requests.get(url, proxies=ways, verify=trust, timeout=PATIENCE)
        return answer.status_code, answer.content

    with Proxy(tmp_path, trusts=authority.file) as proxy:
        with Origin(authority.context("localhost")) as origin:
            url = page(origin, "/a", b"then", {"Cache-Control": "no-store"})
            proxy.run("record", "demo")
            assert get_inside(proxy, url) == (200, b"then")
            proxy.run("record", "--stop")
        proxy.run("replay", "demo")
        for _ in range(2):
            assert get_inside(proxy, url) == (203, b"then")
        assert get_inside(proxy, f"{url}b")[0] == 504
        elsewhere = url.replace("localhost", "elsewhere.test")
        assert get_inside(proxy, elsewhere)[0] == 504  # said inside a tunnel that nobody had to be asked for


def test_after_a_recording_from_the_start_the_proxy_still_knows_itself(tmp_path: Path) -> None:
    command = ("secondhand", "serve", "--record", "demo")
    with Proxy(tmp_path, command=command, settings=SETTINGS) as proxy:
        for _ in range(2):
            answer = get(proxy, proxy.url)
            assert (answer.status_code, "proxy_loop_detected" in answer.headers["Proxy-Status"]) == (502, True)
            proxy.run("record", "--stop") if mode(proxy)[1] else None


def test_what_was_missing_offline_is_not_fetched_into_a_recording(tmp_path: Path, origin: Origin) -> None:
    url = page(origin, "/a", b"hello", {"Cache-Control": "max-age=600"})
    settings = {**SETTINGS, "OFFLINE__QUEUE": "true"}
    with Proxy(tmp_path, settings=settings) as proxy:
        proxy.run("offline")
        assert get(proxy, url).status_code == 504
    with Proxy(tmp_path, command=("secondhand", "serve", "--record", "demo"), settings=settings) as proxy:
        other = page(origin, "/other")
        assert get(proxy, other).status_code == 200
        assert url in proxy.run("queue", "list")
        proxy.run("record", "--stop")
        until(lambda: url not in proxy.run("queue", "list"))  # it is fetched now
        [recorded] = json.loads(proxy.run("recordings", "list", "--json"))
        assert recorded["responses"] == 1
        assert [seen.target for seen in origin.requests] == ["/other", "/a"]
        assert get(proxy, url).status_code == 203
