"""A real proxy that reads its settings again at SIGHUP: all of them, or none."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
import requests

from tests.fixtures.proxy_process import Proxy
from tests.fixtures.slow_page import SlowPage
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin

FRESH = {"Cache-Control": "max-age=600"}


class Reloading:
    """A proxy with a settings file."""

    def __init__(self, folder: Path, text: str = "") -> None:
        self.file = folder / "settings.toml"
        self.file.write_text(text)
        self.proxy = Proxy(folder, settings={"CONFIG": str(self.file), "ORIGIN__PROXY": "none"})
        self.client = requests.Session()
        self.client.proxies = {"http": self.proxy.url}

    def reload(self, text: str, message: str) -> None:
        """Change the file, send SIGHUP, and wait for a message of the proxy."""
        self.file.write_text(text)
        self.proxy.signal(signal.SIGHUP)
        self.proxy.wait_for_message(message)

    def get(self, url: str) -> requests.Response:
        return self.client.get(url, timeout=60)

    def __enter__(self) -> Reloading:
        return self

    def __exit__(self, *exception: object) -> None:
        self.client.close()
        self.proxy.__exit__(*exception)


def test_a_changed_file_with_users_is_named(tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("ada:$2y$04$" + "a" * 53)
    rules = f'[[site.rules]]\nbasic_auth = {{ users_file = "{users}" }}\n'
    text = f'[[site]]\nhosts = ["a.example"]\norigins = ["http://127.0.0.1:1"]\n{rules}'
    with Reloading(tmp_path, text) as it:
        it.reload(text, "settings reloaded: nothing has changed")
        users.write_text("eve:$2y$04$" + "a" * 53)
        it.reload(text, f"settings reloaded: the content of {users}\n")


def test_changed_settings_are_in_force_at_once(tmp_path: Path, origin: Origin) -> None:
    fresh = serve_page(origin, "/a", b"a", FRESH)
    with Reloading(tmp_path, '[answer]\nname = "before"') as it:
        it.get(fresh)
        assert it.get(fresh).headers["Cache-Status"].startswith("before; hit")
        changed = f"""
            drain_timeout = 1
            [answer]
            name = "after"
            status = "origin"
            [origin]
            first_byte_timeout = "50 s"
            [tls]
            leave_alone = ["localhost"]
            [limits]
            connections_per_client = 5
            [log]
            access = "{tmp_path / "access.log"}"
            level = "info"
        """
        keys = "drain_timeout, answer.status, answer.name, origin.first_byte_timeout, tls.leave_alone"
        it.reload(changed, f"settings reloaded: {keys}, limits.connections_per_client, log.level, log.access\n")
        response = it.get(fresh)
        assert response.status_code == 200
        assert response.headers["Cache-Status"].startswith("after; hit")
        it.get(serve_page(origin, "/b", b"b", {"Cache-Control": "no-store"}))
        it.proxy.wait_for_message("not stored: no-store")
        it.proxy.stop()
    assert [line.split()[6].rpartition("/")[2] for line in (tmp_path / "access.log").read_text().splitlines()] == list(
        "ab"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[answer]\nstatus = 'always'\nnames = 'x'", "answer.names: unknown key, did you mean name?"),
        ("[answer]\nstatus = 'always'\n[", "settings.toml: line 3"),
        ("[answer]\nstatus = 'always'\n[log]\nlevel = 'loud'", 'log.level: found "loud", expected'),
        ("edge = 'http://a.example'\n[answer]\nstatus = 'always'", "edge: found 'http://a.example', expected ''"),
        ("[answer]\nstatus = 'always'\n[memory]\nmax_size = 0\n[store]\nmax_size = 1", "store.max_size: found 1"),
        ("[answer]\nstatus = 'always'\n[origin]\nca_files = ['/nowhere']", "/nowhere"),
        (
            "[answer]\nstatus = 'always'\n[log]\naccess = '/nowhere/a.log'",
            'log.access: found "/nowhere/a.log", expected',
        ),
    ],
    ids=["unknown key", "syntax", "value", "edge", "sizes", "file", "log"],
)
def test_settings_that_cannot_be_used_change_nothing(text: str, message: str, tmp_path: Path, origin: Origin) -> None:
    fresh = serve_page(origin, "/a", b"a", FRESH)
    with Reloading(tmp_path, "[answer]\nstatus = 'origin'") as it:
        it.get(fresh)
        it.reload(text, message)
        assert "settings not reloaded: " in it.proxy.messages
        assert it.get(fresh).status_code == 200
        it.reload("[answer]\nstatus = 'always'", "settings reloaded: answer.status")
        assert it.get(fresh).status_code == 203


def test_changed_limits_of_a_request_head_are_in_force(tmp_path: Path, origin: Origin) -> None:
    page = serve_page(origin, "/a", b"a", FRESH)
    with Reloading(tmp_path) as it:
        assert it.client.get(page, headers={"X-Long": "a" * 900}, timeout=60).status_code == 200
        it.reload("[limits]\nmax_line = 800", "settings reloaded: limits.max_line")
        assert it.client.get(page, headers={"X-Long": "a" * 900}, timeout=60).status_code == 431
        it.reload("[limits]\nmax_head = 2000", "settings reloaded: limits.max_head, limits.max_line")
        assert it.client.get(page, headers={"X-Long": "a" * 900}, timeout=60).status_code == 203
        assert it.client.get(page, headers={"X-Long": "a" * 2000}, timeout=60).status_code == 431


def test_what_commands_have_set_stays(tmp_path: Path, origin: Origin) -> None:
    with Reloading(tmp_path) as it:
        it.proxy.run("offline", "b.example")
        it.proxy.run("record", "demo")
        it.reload("[answer]\nname = 'other'", "settings reloaded: answer.name")
        assert "b.example" in it.proxy.run("mode")
        page = serve_page(origin, "/a", b"a", FRESH)
        assert it.get(page).headers["Cache-Status"] == "other; fwd=bypass; stored; detail=recording"
        assert it.proxy.run("record", "--stop") == "demo has ended\n"
        assert it.get(page).headers["Cache-Status"].startswith("other; fwd=uri-miss")
        assert "b.example" in it.proxy.run("mode")
        loop = it.get(f"http://127.0.0.1:{it.proxy.port}/")
        assert (loop.status_code, "loop" in loop.text) == (502, True)


def test_a_mode_in_the_settings_that_has_changed_is_used(tmp_path: Path) -> None:
    with Reloading(tmp_path) as it:
        it.proxy.run("offline", "b.example")
        it.reload("[cache]\nmode = 'offline'", "settings reloaded: cache.mode")
        assert "offline" in it.proxy.run("mode")
        assert "b.example" not in it.proxy.run("mode")


def test_a_request_under_way_ends_under_the_settings_that_it_began_with(tmp_path: Path, origin: Origin) -> None:
    slow = SlowPage(FRESH)
    url = origin.offer("/slow", slow)
    with Reloading(tmp_path) as it:
        with it.client.get(url, stream=True, timeout=60) as response:
            it.reload("[origin]\nmax_connections = 1\nidle_timeout = 1", "settings reloaded: origin")
            slow.release()
            assert response.content == slow.content
        assert it.get(url).status_code == 203


def wait_for(file: Path) -> None:
    while not file.exists():
        time.sleep(0.01)


def wait_for_content(file: Path) -> None:
    while not file.exists() or not file.stat().st_size:
        time.sleep(0.01)


def test_a_proxy_whose_access_log_cannot_be_written_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r'log\.access: found "/nowhere/a\.log", expected'):
        Reloading(tmp_path, "[log]\naccess = '/nowhere/a.log'")


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGHUP])
def test_a_log_that_was_renamed_is_opened_anew(number: int, tmp_path: Path, origin: Origin) -> None:
    log, rotated = tmp_path / "access.log", tmp_path / "access.log.1"
    with Reloading(tmp_path, f"[log]\naccess = '{log}'") as it:
        it.get(serve_page(origin, "/before", b"", FRESH))
        it.proxy.signal(number)
        wait_for_content(log)
        log.rename(rotated)
        it.proxy.signal(number)
        wait_for(log)
        it.get(serve_page(origin, "/after", b"", FRESH))
        it.proxy.stop()
    assert "/before" in rotated.read_text()
    assert "/after" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o640 & ~0o022
