"""The answers to probes: alive, and ready for clients."""

from __future__ import annotations

import http.client
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.fixtures.admin_client import AdminClient, Answer, admin_of
from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.slow_page import SlowPage
from tests.fixtures.web_origin import Origin

READY, NOT_READY = {"status": "ready"}, {"status": "not ready"}


def test_probes_need_no_token_and_learn_nothing_but_yes_or_no(admin: AdminClient) -> None:
    for path, told in (("/healthz", {"status": "ok"}), ("/readyz", READY)):
        answer = admin.ask("GET", path, {"Host": "10.1.2.3:9000"})
        assert (answer.status, answer.json) == (200, told)
        assert admin.ask("HEAD", path).content == b""
        assert admin.ask("POST", path).status == 405


def wait_for(admin: AdminClient, status: int) -> Answer:
    """Ask until the proxy is ready, or is not; return the answer."""
    until = time.monotonic() + TIMEOUT
    while (answer := admin.ask("GET", "/readyz")).status != status:
        assert time.monotonic() < until, answer
        time.sleep(0.02)
    return answer


@pytest.mark.parametrize(
    "options", [(), ("--workers", "2"), ("--no-door",)], ids=["one process", "workers", "mitmproxy"]
)
def test_a_proxy_that_drains_is_alive_but_not_ready(options: tuple[str, ...], tmp_path: Path, origin: Origin) -> None:
    page = SlowPage({"Cache-Control": "max-age=600"})
    url = origin.offer("/slow", page)
    with Proxy(tmp_path, None, ("secondhand", "serve", *options), {"ORIGIN__PROXY": "none"}) as proxy:
        admin = admin_of(proxy)
        assert wait_for(admin, 200).json == READY
        client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=TIMEOUT)
        client.request("GET", url)
        assert page.begun.wait(TIMEOUT)
        proxy.signal(signal.SIGTERM)
        assert wait_for(admin, 503).json == NOT_READY
        assert admin.ask("GET", "/healthz").status == 200
        page.release()
        assert client.getresponse().read() == page.content
        client.close()
        assert proxy.wait() == 0
        with pytest.raises(ConnectionRefusedError):
            admin.ask("GET", "/healthz")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_edge_without_an_origin_that_is_well_is_not_ready_if_this_is_asked_for(workers: str, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # it does not listen
        file = tmp_path / "settings.toml"
        file.write_text(
            f'[[site]]\nhosts = ["a.example"]\norigins = ["http://127.0.0.1:{unused.getsockname()[1]}"]\n'
            'health = { path = "/up", interval = "100 ms", fails = 1 }\n'
        )
        command = ("secondhand", "serve", "--workers", workers, "--config", str(file))
        for asked_for, status in (("true", 503), ("false", 200)):
            folder = tmp_path / asked_for
            folder.mkdir()
            with Proxy(folder, None, command, {"ADMIN__READY_NEEDS_ORIGIN": asked_for}) as edge:
                admin = admin_of(edge)
                wait_for_down(admin)
                assert admin.ask("GET", "/readyz").status == status


def wait_for_down(admin: AdminClient) -> None:
    """Wait until the checks have found that the origin is down."""
    until = time.monotonic() + TIMEOUT
    while admin.get("/status").json["sites"][0]["origins"][0]["state"] != "down":
        assert time.monotonic() < until
        time.sleep(0.02)
