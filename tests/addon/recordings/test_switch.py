"""Recordings and replays that start and stop while responses are being sent: every response is completed."""

from __future__ import annotations

import json
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
import requests

from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.until import wait_until
from tests.fixtures.web_origin import Exchange, Origin

SETTINGS = {"ORIGIN__PROXY": "none"}
LARGE = bytes(range(256)) * 131_072


def get(proxy: Proxy, url: str) -> requests.Response:
    return requests.get(url, proxies={"http": proxy.url}, timeout=TIMEOUT)


def mode(proxy: Proxy) -> tuple[str, str | None]:
    """Return the mode, and the name of the recording that is recorded or replayed."""
    (state,) = json.loads(proxy.run("mode", "--json"))
    return state["mode"], state["recording"]


def test_a_response_in_progress_when_a_recording_stops_is_recorded(tmp_path: Path, origin: Origin) -> None:
    requested, may_respond = Event(), Event()

    def slow(exchange: Exchange) -> None:
        requested.set()
        may_respond.wait(TIMEOUT)
        exchange.reply(200, b"at last", {})

    url = origin.offer("/slow", slow)
    with Proxy(tmp_path, settings=SETTINGS) as proxy, ThreadPoolExecutor() as pool:
        proxy.run("record", "demo")
        response = pool.submit(get, proxy, url)
        assert requested.wait(TIMEOUT)
        stopped = proxy.start("record", "--stop")
        wait_until(lambda: mode(proxy) == ("auto", None))
        may_respond.set()
        assert response.result().content == b"at last"
        assert stopped.communicate(timeout=TIMEOUT)[0] == "demo has ended\n"
        [recorded] = json.loads(proxy.run("recordings", "list", "--json"))
        assert recorded["responses"] == 1


def test_a_replayed_response_is_completed_after_the_replay_stops(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/large", LARGE, {})
    with Proxy(tmp_path, settings=SETTINGS) as proxy:
        proxy.run("record", "demo")
        assert get(proxy, url).content == LARGE
        proxy.run("record", "--stop")
        proxy.run("replay", "demo")
        with socket.create_connection(("127.0.0.1", proxy.port), TIMEOUT) as client:
            client.sendall(f"GET {url} HTTP/1.1\r\nHost: {url.split('/')[2]}\r\nConnection: close\r\n\r\n".encode())
            received = client.recv(1000)
            assert received.startswith(b"HTTP/1.1 203 ")
            assert proxy.run("replay", "--stop") == "demo has ended\n"
            assert mode(proxy) == ("auto", None)
            with client.makefile("rb") as rest:
                received += rest.read()
        assert received.partition(b"\r\n\r\n")[2] == LARGE
        proxy.stop()
    assert "failed" not in (tmp_path / "log").read_text()


def test_switching_to_another_mode_ends_a_replay(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a", b"then", {})
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
        serve_page(origin, "/a", b"now", {})
        assert get(proxy, url).content == b"now"
        with pytest.raises(subprocess.CalledProcessError):
            proxy.run("replay", "--stop")


def test_a_tls_site_is_recorded_and_replayed_without_the_origin(tmp_path: Path) -> None:
    ca = ThrowawayCA(tmp_path, "throwaway")

    def get_over_tls(proxy: Proxy, url: str) -> tuple[int, bytes]:
        proxies, ca_file = {"https": proxy.url}, str(proxy.certificate)
        response = requests.get(url, proxies=proxies, verify=ca_file, timeout=TIMEOUT)
        return response.status_code, response.content

    with Proxy(tmp_path, origin_ca=ca.file) as proxy:
        with Origin(ca.server_context("localhost")) as origin:
            url = serve_page(origin, "/a", b"then", {"Cache-Control": "no-store"})
            proxy.run("record", "demo")
            assert get_over_tls(proxy, url) == (200, b"then")
            proxy.run("record", "--stop")
        proxy.run("replay", "demo")
        for _ in range(2):
            assert get_over_tls(proxy, url) == (203, b"then")
        assert get_over_tls(proxy, f"{url}b")[0] == 504
        elsewhere = url.replace("localhost", "elsewhere.test")
        # the proxy opens a tunnel to any host without a connection to it, and responds inside the tunnel
        assert get_over_tls(proxy, elsewhere)[0] == 504


def test_loops_are_detected_during_and_after_a_recording(tmp_path: Path) -> None:
    command = ("secondhand", "serve", "--record", "demo")
    with Proxy(tmp_path, command=command, settings=SETTINGS) as proxy:
        for _ in range(2):
            response = get(proxy, proxy.url)
            assert (response.status_code, "proxy_loop_detected" in response.headers["Proxy-Status"]) == (502, True)
            proxy.run("record", "--stop") if mode(proxy)[1] else None


def test_the_miss_queue_is_not_fetched_into_a_recording(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a", b"hello", {"Cache-Control": "max-age=600"})
    settings = {**SETTINGS, "OFFLINE__QUEUE": "true"}
    with Proxy(tmp_path, settings=settings) as proxy:
        proxy.run("offline")
        assert get(proxy, url).status_code == 504
    with Proxy(tmp_path, command=("secondhand", "serve", "--record", "demo"), settings=settings) as proxy:
        other = serve_page(origin, "/other")
        assert get(proxy, other).status_code == 200
        assert url in proxy.run("queue", "list")
        proxy.run("record", "--stop")
        wait_until(lambda: url not in proxy.run("queue", "list"))  # the queue is fetched once the recording has stopped
        [recorded] = json.loads(proxy.run("recordings", "list", "--json"))
        assert recorded["responses"] == 1
        assert [seen.target for seen in origin.requests] == ["/other", "/a"]
        assert get(proxy, url).status_code == 203
