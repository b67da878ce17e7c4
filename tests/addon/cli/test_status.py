"""`secondhand status`: the processes of running proxies."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

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
        assert status["store"] == {"path": str(tmp_path / "store"), "state": "open"}
        assert status.get("supervisor") == (proxy.pid if workers == "2" else None)
        assert [(each["connections"], each["draining"]) for each in status["workers"]] == [(0, False)] * int(workers)
        assert len({each["pid"] for each in status["workers"]}) == int(workers)
        lines = proxy.run("status").splitlines()
        assert f"listen\t127.0.0.1:{proxy.port}" in lines
        assert sum(line.endswith("\t0\tserves clients") for line in lines) == int(workers)
        proxy.stop()
        with pytest.raises(subprocess.CalledProcessError) as failed:
            proxy.run("status")
        assert failed.value.returncode == 1


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
