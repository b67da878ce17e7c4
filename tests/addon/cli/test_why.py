"""`secondhand why` on the command line: it asks the running proxy, and without one goes by the settings."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from addon.cli import app
from tests.fixtures.kept_copies import running_proxy
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.terminals import on_a_terminal
from tests.fixtures.web_origin import Origin

NO_STORE = {"Cache-Control": "no-store"}


def fetch(proxy: Proxy, url: str) -> urllib.request.addinfourl:
    """Return the response to a request through the proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": proxy.url}))
    response = opener.open(url)
    response.read()
    return response


@pytest.mark.parametrize("workers", [(), ("--workers", "2")], ids=["one process", "two workers"])
def test_the_running_proxy_says_what_its_next_response_is(
    tmp_path: Path, origin: Origin, workers: tuple[str, ...]
) -> None:
    page, secret = serve_page(origin, "/page"), serve_page(origin, "/secret", fields=NO_STORE)
    command = ("secondhand", "serve", "--answer", "always", *workers)
    with Proxy(tmp_path, command=command, settings={"ORIGIN__PROXY": "none"}) as proxy:
        for url in (page, secret):
            fetch(proxy, url)
        proxy.run("offline")
        explained = json.loads(proxy.run("why", page, "--json", "-H", "User-Agent: cargo/1.90.0"))
        assert (explained["by"], explained["decision"]) == ("proxy", "hit")
        response = fetch(proxy, page)
        assert explained["would_send"]["status"] == response.status == 203
        assert explained["cache_status"].split("ttl")[0] == response.headers["Cache-Status"].split("ttl")[0]
        printed = proxy.run("why", secret)
        assert "s ago, not stored: no-store (RFC 9111 §5.2.2.5); this would change it: the origin leaves" in printed
        assert "decision: refuse, offline\nwould send: 504 Gateway Timeout\n" in printed


def test_without_a_proxy_it_goes_by_the_settings_and_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["why", "http://a.example/", "--store", str(tmp_path / "store"), "--json"])
    assert result.exit_code == 0
    assert f"no proxy is running on {tmp_path / 'store'}" in result.stderr
    explained = json.loads(result.stdout)
    assert (explained["by"], explained["decision"], explained["reason"]) == ("settings", "forward", "uri-miss")
    assert explained["cache_status"] == "secondhand; fwd=uri-miss"


def test_the_reason_for_not_storing_is_wrapped_on_a_terminal(tmp_path: Path) -> None:
    note = {"reason": "no-store", "source": "RFC 9111 §5.2.2.5", "sentence": "", "seconds_ago": 12, "remedy": "x " * 60}

    async def why(_: Mapping[str, object]) -> dict[str, object]:
        told = {"decision": "forward", "reason": "uri-miss", "cache_status": "", "would_send": None}
        return {**told, "steps": [], "not_stored": note}

    with running_proxy(tmp_path, why=why):
        lines = on_a_terminal("why", "http://a.example/", "--store", str(tmp_path)).splitlines()
    [first] = [line for line in lines if line.startswith("last fetched")]
    assert first.endswith("(RFC 9111 §5.2.2.5); this would")
    assert max(map(len, lines)) <= 80
