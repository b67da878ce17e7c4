"""A real proxy with several workers that reads its settings again: new workers take the place of the old ones."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
import requests

from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.proxy_with_workers import start_workers, wait_until_gone, workers_of
from tests.fixtures.slow_page import SlowPage
from tests.fixtures.static_pages import serve_page
from tests.fixtures.steady_clients import SteadyClients
from tests.fixtures.web_origin import Origin

FRESH = {"Cache-Control": "max-age=600"}


class Reloading:
    """A proxy with a settings file and two workers."""

    def __init__(self, folder: Path, text: str = "", *options: str) -> None:
        self.file = folder / "settings.toml"
        self.file.write_text(text)
        self.proxy = start_workers(folder, *options, CONFIG=str(self.file))

    def reload(self, text: str, message: str) -> None:
        """Change the file, send SIGHUP, and wait for a message of the proxy."""
        before = self.proxy.messages.count(message)
        self.file.write_text(text)
        self.proxy.signal(signal.SIGHUP)
        while self.proxy.messages.count(message) == before:
            self.proxy.wait_for_message(message)
            time.sleep(0.01)

    def get(self, url: str) -> requests.Response:
        return requests.get(url, proxies={"http": self.proxy.url}, timeout=TIMEOUT)

    def __enter__(self) -> Proxy:
        return self.proxy

    def __exit__(self, *exception: object) -> None:
        self.proxy.__exit__(*exception)


def test_new_workers_serve_with_the_changed_settings(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a", b"a", FRESH)
    it = Reloading(tmp_path, "[answer]\nname = 'before'")
    with it as proxy:
        assert it.get(url).headers["Cache-Status"].startswith("before")
        old = workers_of(proxy)
        it.reload("[answer]\nname = 'after'\n[memory]\nmax_size = 1000000", "settings reloaded: memory.max_size")
        assert {it.get(url).headers["Cache-Status"].partition(";")[0] for _ in range(20)} == {"after"}
        for each in old:
            wait_until_gone(each)
        assert set(workers_of(proxy)).isdisjoint(old)
        proxy.stop()


def test_the_number_of_workers_can_change(tmp_path: Path) -> None:
    settings = {"CONFIG": str(tmp_path / "settings.toml")}
    (tmp_path / "settings.toml").write_text("workers = 2")
    with Proxy(tmp_path, settings=settings) as proxy:
        old = workers_of(proxy)
        (tmp_path / "settings.toml").write_text("workers = 3")
        proxy.signal(signal.SIGHUP)
        proxy.wait_for_message("settings reloaded: workers")
        for each in old:
            wait_until_gone(each)
        assert len(workers_of(proxy)) == 3
        proxy.stop()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[answer]\nstatus = 'origin'\nnames = 'x'", "answer.names: unknown key, did you mean name?"),
        ("[answer]\nstatus = 'origin'\n[", "settings.toml: line 3"),
        ("[answer]\nstatus = 'origin'\n[store]\nkind = 'memory'", "workers: found 2, expected 1 with store.kind"),
        ("[answer]\nstatus = 'origin'\n[origin]\nca_files = ['/nowhere']", "/nowhere"),
        ("[answer]\nstatus = 'origin'\n[log]\naccess = '/nowhere/a.log'", 'log.access: found "/nowhere/a.log"'),
    ],
    ids=["unknown key", "syntax", "store", "file", "log"],
)
def test_settings_that_cannot_be_used_change_nothing(text: str, message: str, tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a", b"a", FRESH)
    it = Reloading(tmp_path, "[answer]\nstatus = 'always'")
    with it as proxy:
        while it.get(url).status_code != 203:
            pass
        old = workers_of(proxy)
        it.reload(text, message)
        assert "settings not reloaded: " in proxy.messages
        assert {it.get(url).status_code for _ in range(10)} == {203}
        assert set(old) <= set(workers_of(proxy))


def test_what_commands_have_set_stays_and_changed_modes_win(tmp_path: Path) -> None:
    it = Reloading(tmp_path)
    with it as proxy:
        proxy.run("offline", "b.example")
        it.reload("[answer]\nname = 'x'", "settings reloaded: answer.name")
        assert "b.example" in proxy.run("mode")
        it.reload("[cache]\nmode = 'offline'", "settings reloaded: answer.name, cache.mode")
        assert proxy.run("mode") == "offline\n"


def test_a_worker_that_hangs_does_not_hold_up_a_reload_and_is_killed(tmp_path: Path) -> None:
    it = Reloading(tmp_path, "drain_timeout = 0")
    with it as proxy:
        hangs, other = workers_of(proxy)
        os.kill(hangs, signal.SIGSTOP)
        it.reload("[answer]\nname = 'x'", "settings reloaded")
        wait_until_gone(other)
        it.reload("[answer]\nname = 'y'", "settings reloaded: answer.name")
        proxy.wait_for_message(f"worker {hangs} does not end in time; it is killed")
        wait_until_gone(hangs)
        proxy.stop()


def test_nothing_stays_open_for_workers_that_have_ended(tmp_path: Path) -> None:
    def open_files() -> int:
        return len(list(Path(f"/proc/{it.proxy.pid}/fd").iterdir()))

    it = Reloading(tmp_path)
    with it as proxy:
        before = open_files()
        for number in range(3):
            old = workers_of(proxy)
            it.reload(f"[answer]\nname = 'x{number}'", "settings reloaded: answer.name")
            for each in old:
                wait_until_gone(each)
        until = time.monotonic() + TIMEOUT
        while open_files() > before and time.monotonic() < until:
            time.sleep(0.01)
        assert open_files() == before
        proxy.stop()


def test_a_response_under_way_is_completed_by_the_old_worker(tmp_path: Path, origin: Origin) -> None:
    slow = SlowPage(FRESH)
    url = origin.offer("/slow", slow)
    it = Reloading(tmp_path)
    with it, requests.get(url, proxies={"http": it.proxy.url}, timeout=TIMEOUT, stream=True) as response:
        it.reload("[answer]\nname = 'x'", "settings reloaded")
        slow.release()
        assert response.content == slow.content


def test_no_request_fails_while_settings_are_reloaded(tmp_path: Path, origin: Origin) -> None:
    serve_page(origin, "/", b"a" * 1000, FRESH)
    it = Reloading(tmp_path, "", "--edge", f"http://127.0.0.1:{origin.port}")
    with it as proxy, SteadyClients(proxy.port) as clients:
        for number in range(4):
            clients.wait_for_more()
            it.reload(f"[answer]\nname = 'x{number}'", "settings reloaded: answer.name")
            clients.wait_for_more()
            it.reload("[answer]\nname = 1", "settings not reloaded")
        clients.wait_for_more()
    assert clients.failed == []
