"""A proxy that stores one user's private responses refuses to listen where other machines can reach it.

See docs/decisions.md, "One user's cache listens on loopback addresses only".
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from addon.cli import app
from addon.config.exposure import exposed_keys
from addon.config.load import configure


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(default_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "addon.serve.start", SimpleNamespace(serve=lambda *_, **__: 0))


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def settings(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(text)
    return file


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", "[::]:0", "192.0.2.1:80", "proxy.example:80"])
@pytest.mark.parametrize("command", [("config", "check"), ("serve",)])
def test_profile_dev_on_a_reachable_address_is_refused(tmp_path: Path, listen: str, command: tuple[str, ...]) -> None:
    file = settings(tmp_path, f'profile = "dev"\nlisten = "{listen}"\n')
    result = run(*command, "--config", file)
    assert result.exit_code == 2
    assert result.stderr == (
        f'secondhand: {file}: listen: found "{listen}", which other machines can reach, expected an address of this'
        ' machine only like "127.0.0.1:8080": offline.keep_private (profile dev) and offline.keep_authorized_for_any'
        " (profile dev) would show them what is meant for one user; or set offline.keep_private = false and"
        " offline.keep_authorized_for_any = []\n"
    )


def test_it_is_refused_from_the_command_line_and_for_an_edge_too(tmp_path: Path) -> None:
    file = settings(tmp_path, "[offline]\nkeep_authorized = ['/a']\nkeep_no_store = true\n")
    for options in (("--listen", "0.0.0.0:0"), ("--listen", "0.0.0.0:0", "--edge", "http://127.0.0.1:8000")):
        result = run("serve", "--config", file, *options)
        assert result.exit_code == 2
        assert "secondhand: command line --listen: listen: found" in result.stderr
        assert f"offline.keep_no_store ({file}) and offline.keep_authorized ({file})" in result.stderr
        assert "set offline.keep_no_store = false and offline.keep_authorized = []" in result.stderr


@pytest.mark.parametrize(
    "text",
    [
        'profile = "dev"\n',
        'profile = "dev"\nlisten = "[::1]:0"\n',
        'profile = "dev"\nlisten = "localhost:0"\n',
        'profile = "dev"\nlisten = "0.0.0.0:0"\n[offline]\nkeep_private = false\nkeep_authorized_for_any = []\n',
        'profile = "npm"\nlisten = "0.0.0.0:0"\n',
    ],
)
def test_settings_without_exposure_are_accepted(tmp_path: Path, text: str) -> None:
    file = settings(tmp_path, text)
    assert run("config", "check", "--config", file).exit_code == 0
    assert run("serve", "--config", file).exit_code == 0


def test_config_check_reports_it_as_json(tmp_path: Path) -> None:
    file = settings(tmp_path, 'profile = "dev"\nlisten = "0.0.0.0:0"\n')
    [fault] = json.loads(run("config", "check", "--config", file, "--json").stdout)["faults"]
    assert (fault["where"], fault["key"]) == (str(file), "listen")


def test_inside_mitmproxy_the_address_of_its_listener_counts() -> None:
    dev = configure(None, {"profile": "dev"}, {}).settings
    assert exposed_keys(dev, "127.0.0.1") == ()
    everywhere = exposed_keys(dev, "")  # mitmproxy's default
    assert everywhere == ("offline.keep_private", "offline.keep_authorized_for_any")
