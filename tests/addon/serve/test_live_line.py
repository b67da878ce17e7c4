"""The live line of serve: only on a terminal, and never in one line with a message."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest
import requests

from addon.runtime.series.counts import NOTHING
from addon.serve.live_line import LiveLine, line_of
from tests.fixtures.environment import environment
from tests.fixtures.proxy_process import COMMANDS, TIMEOUT
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin


def test_the_line_has_the_rate_of_the_last_seconds_and_the_rest_since_the_start() -> None:
    earlier = (6, 0, 0, 4, *NOTHING[4:])
    later = (14, 1, 0, 5, 0, 0, 2048, 0, 0)
    assert line_of(earlier, later, 2.0) == "5.0 requests/s, 20 in all, hit rate 75.0%, saved 2 KiB"
    assert line_of(NOTHING, NOTHING, 2.0) == "0.0 requests/s, 0 in all, hit rate -, saved 0 B"


class OnTerminal:
    """A proxy whose terminal is that of the test."""

    def __init__(self, folder: Path, *options: str) -> None:
        variables = environment(folder) | {
            "TERM": "xterm",
            "SECONDHAND_LISTEN": "127.0.0.1:0",
            "SECONDHAND_ORIGIN__PROXY": "none",
            "SECONDHAND_STORE__PATH": str(folder / "store"),
            "SECONDHAND_TLS__DIRECTORY": str(folder / "own-ca"),
        }
        self.pid, self._terminal = pty.fork()  # the new process has the terminal in the foreground
        if self.pid == 0:
            os.execve(COMMANDS / "secondhand", ["secondhand", "serve", *options], variables)
        self.shown = ""

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read until something is shown. The runner ends a test that waits too long."""
        while not (match := re.search(pattern, self.shown)):
            self.shown += os.read(self._terminal, 4096).decode()
        return match

    def end(self) -> None:
        """Stop the proxy, and read what it shows until then."""
        os.kill(self.pid, signal.SIGTERM)
        while True:
            try:
                self.shown += os.read(self._terminal, 4096).decode()
            except OSError:  # Linux: the other end is closed
                break
        os.waitpid(self.pid, 0)
        os.close(self._terminal)


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one process", "workers"])
def test_on_a_terminal_the_line_is_shown_and_erased_before_a_message(
    options: tuple[str, ...], tmp_path: Path, origin: Origin
) -> None:
    proxy = OnTerminal(tmp_path, *options)
    try:
        port = proxy.wait_for(r"listens on http://127\.0\.0\.1:(\d+)")[1]
        proxy.wait_for("requests/s, 0 in all")
        url = serve_page(origin, "/a", b"a", {"Cache-Control": "max-age=600"})
        assert requests.get(url, proxies={"http": f"http://127.0.0.1:{port}"}, timeout=TIMEOUT).text == "a"
        proxy.wait_for("requests/s, 1 in all, hit rate 0.0%")
        os.kill(proxy.pid, signal.SIGHUP)
        proxy.wait_for("settings reloaded: [^\n]*\n")
    finally:
        proxy.end()
    (message,) = re.findall("[^\r\n]*settings reloaded", proxy.shown)
    assert "requests/s" not in message
    assert message.startswith("\x1b[K")
    assert proxy.shown.endswith("\r\x1b[K")


def test_without_a_terminal_nothing_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    asked: list[Mapping[str, object]] = []

    async def stats(arguments: Mapping[str, object]) -> dict[str, object]:
        asked.append(arguments)
        return {}

    async def run() -> None:
        line = LiveLine(stats)
        line.begin()
        await asyncio.sleep(0)
        await line.close()

    asyncio.run(run())
    assert capsys.readouterr().out == ""
    assert not asked
