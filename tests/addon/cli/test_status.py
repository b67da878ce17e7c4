"""`secondhand status`: the processes of running proxies."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from addon.serve.listening_sockets import bound_sockets
from tests.fixtures.command_line import secondhand
from tests.fixtures.kept_copies import running_proxy
from tests.fixtures.proxy_process import Proxy


def test_it_shows_the_origins_of_sites(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[[site]]\nhosts = ['a.example']\norigins = ['http://127.0.0.1:1']\n")
    with Proxy(tmp_path, command=("secondhand", "serve", "--workers", "2"), settings={"CONFIG": str(file)}) as proxy:
        assert "a.example\thttp://127.0.0.1:1\tup\t0\t0\t" in proxy.run("status").splitlines()
        proxy.stop()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_lists_the_workers_with_their_connections(workers: str, tmp_path: Path) -> None:
    with Proxy(tmp_path, command=("secondhand", "serve", "--workers", workers)) as proxy:
        [status] = json.loads(proxy.run("status", "--json"))["proxies"]
        assert status["listen"] == [f"127.0.0.1:{proxy.port}"]
        assert status["mode"]["mode"] == "auto"
        assert status["store"] == {"path": str(tmp_path / "store"), "kind": "disk", "state": "open"}
        assert status.get("supervisor") == (proxy.pid if workers == "2" else None)
        told = [(each["connections"], each["requests"], each["draining"]) for each in status["workers"]]
        assert told == [(0, 0, False)] * int(workers)
        assert all(each["cpu_seconds"] > 0 for each in status["workers"])
        assert len({each["pid"] for each in status["workers"]}) == int(workers)
        lines = proxy.run("status").splitlines()
        assert f"listen\t127.0.0.1:{proxy.port}" in lines
        assert sum(bool(re.search(r"\t0\t0\t\d+s\tserves clients$", line)) for line in lines) == int(workers)
        proxy.stop()
        with pytest.raises(subprocess.CalledProcessError) as failed:
            proxy.run("status")
        assert failed.value.returncode == 1


def test_the_status_of_a_proxy_of_an_older_version(tmp_path: Path) -> None:
    async def status(_: Mapping[str, object]) -> dict[str, object]:
        mode = {"mode": "auto", "recording": None, "hosts": {}, "unreachable": ["http://a.test"]}
        worker = {"pid": 1234, "since": 0.0, "connections": 2, "draining": False}
        store = {"path": str(tmp_path), "state": "open"}
        return {"listen": ["127.0.0.1:8080"], "sites": [], "mode": mode, "store": store, "workers": [worker]}

    with running_proxy(tmp_path, status=status):
        lines = secondhand("status", "--store", tmp_path).stdout.splitlines()
    assert "mode\tauto" in lines
    assert "http://a.test\tdoes not answer, asked only once a second" in lines
    assert re.fullmatch(r"1234\t\w+( \w+)?\t2\t\t\tserves clients", lines[-1])


def test_a_running_proxy_is_found_although_its_settings_are_invalid_now(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("")
    options = ("--config", str(file))
    with Proxy(tmp_path, command=("secondhand", "serve", *options)) as proxy:
        file.write_text("[answer]\nstatus = 'sometimes'\n")
        [status] = json.loads(proxy.run("status", "--json", *options))["proxies"]
        assert status["listen"] == [f"127.0.0.1:{proxy.port}"]
        assert proxy.run("mode", *options) == "auto\n"
        proxy.stop()
        with pytest.raises(subprocess.CalledProcessError) as failed:
            proxy.run("status", *options)
        assert failed.value.returncode == 2


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_origin_that_refuses_connections_is_shown_in_plain_words(workers: str, tmp_path: Path) -> None:
    settings = {"ORIGIN__REFUSED_TARGETS": "[]", "ORIGIN__PROXY": "none"}
    with Proxy(tmp_path, command=("secondhand", "serve", "--workers", workers), settings=settings) as proxy:
        with bound_sockets("127.0.0.1", 0)[0] as closed:  # it does not listen
            origin = f"http://127.0.0.1:{closed.getsockname()[1]}"
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": proxy.url}))
            with pytest.raises(urllib.error.HTTPError, match="502"):
                opener.open(f"{origin}/")
        lines, modes = proxy.run("status").splitlines(), proxy.run("mode").splitlines()
        assert "mode\tauto" in lines
        assert "state of the store\tworks" in lines
        for printed in (lines, modes):
            [failed] = [line for line in printed if line.startswith(origin)]
            assert re.search(r"\tfailed \d+s ago: .*refused", failed)
        proxy.stop()
