"""The settings in `deploy/` are valid, and a proxy starts with them; logs, probes and metrics are where they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from addon.config.load import configure
from addon.config.settings import Settings
from tests.deploy.files import DEPLOY
from tests.fixtures.admin_client import AdminClient
from tests.fixtures.documentation import replaced
from tests.fixtures.free_port import free_port
from tests.fixtures.proxy_process import Proxy

FILES = [str(path.relative_to(DEPLOY)) for path in sorted(DEPLOY.rglob("config.toml"))]


def settings_of(name: str) -> Settings:
    return configure(DEPLOY / name, {}, {}).settings


@pytest.mark.parametrize("name", FILES)
def test_settings_are_valid_and_use_the_folders_of_the_image(name: str) -> None:
    settings = settings_of(name)
    assert settings.listen == "0.0.0.0:8080"
    assert settings.admin.port == 9000
    assert settings.store.path == "/var/cache/secondhand/store"


@pytest.mark.parametrize("name", [name for name in FILES if name != "container/config.toml"])
def test_an_edge_logs_json_to_the_container_and_shows_metrics_to_prometheus(name: str) -> None:
    settings = settings_of(name)
    assert settings.is_edge
    assert settings.admin.metrics_without_token
    assert (settings.log.access, settings.log.access_format) == ("/dev/stdout", "json")


def test_a_proxy_runs_with_the_settings_for_kubernetes(tmp_path: Path) -> None:
    admin = free_port()
    text = replaced(
        (DEPLOY / "kubernetes" / "base" / "config.toml").read_text(),
        ("0.0.0.0:9000", f"127.0.0.1:{admin}"),
        ("/dev/stdout", tmp_path / "access.log"),
        ("http://app:80", "http://127.0.0.1:1"),
    )
    (tmp_path / "config.toml").write_text(text)
    command = ("secondhand", "serve", "--workers", "2", "--config", str(tmp_path / "config.toml"))
    with Proxy(tmp_path, command=command) as proxy:
        of_pod = {"Host": "10.1.2.3:9000"}
        client = AdminClient("127.0.0.1", admin, "")
        assert client.ask("GET", "/healthz", of_pod).status == 200
        assert client.ask("GET", "/readyz", of_pod).status == 200
        assert AdminClient("127.0.0.1", proxy.port, "").ask("GET", "/", {"Host": "a.example"}).status == 502
        metrics = client.ask("GET", "/metrics", of_pod).content.decode()
        assert 'secondhand_requests_total{site="*",decision="refused",reason="fetch-failed"} 1' in metrics
        proxy.stop()
    (line,) = (tmp_path / "access.log").read_text().splitlines()
    assert json.loads(line)["reason"] == "fetch-failed"
