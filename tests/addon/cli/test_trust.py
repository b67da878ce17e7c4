"""The commands trust export and trust status, with and without a CA."""

import json
import ssl
from hashlib import sha256
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


def test_export_and_status_print_the_fingerprint_and_status_the_next_command(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[tls]\ndirectory = "{tmp_path}/ca"\n')
    exported = run("trust", "export", "--config", config)
    digest = sha256(ssl.PEM_cert_to_DER_cert(exported.stdout)).digest()
    line = f"secondhand: SHA-256 fingerprint: {digest.hex(':').upper()}\n"
    assert exported.stderr == line
    assert run("trust", "export", "--config", config, "--out", tmp_path / "ca.pem").stderr.endswith(line)
    status = run("trust", "status", "--config", config)
    assert (status.exit_code, status.stderr) == (1, f"{line}secondhand: this installs it: secondhand trust install\n")
