"""The command trust export, with and without a CA."""

import json
import ssl
from pathlib import Path

import pytest

from tests.fixtures.command_line import secondhand as run

pytestmark = pytest.mark.usefixtures("default_settings")


def test_trust_export_makes_the_ca_once_and_prints_its_certificate(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[tls]\ndirectory = "{tmp_path}/ca"\n')
    first = run("trust", "export", "--config", config)
    assert first.exit_code == 0
    assert "PRIVATE KEY" not in first.stdout
    ssl.create_default_context(cadata=first.stdout)
    out = tmp_path / "out.pem"
    second = run("trust", "export", "--config", config, "--out", out)
    assert (second.stdout, out.read_text()) == ("", first.stdout)
    as_json = json.loads(run("trust", "export", "--config", config, "--json").stdout)
    assert as_json["certificate"] == first.stdout


def test_the_error_of_an_invalid_ca_names_its_directory(tmp_path: Path) -> None:
    (tmp_path / "mitmproxy-ca.pem").write_text("no certificate")
    config = tmp_path / "config.toml"
    config.write_text(f'[tls]\ndirectory = "{tmp_path}"\n')
    result = run("trust", "export", "--config", config)
    assert result.exit_code == 1
    assert str(tmp_path) in result.stderr
