"""Redirects to https that would never end are refused, or explained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from addon.cli import app

pytestmark = pytest.mark.usefixtures("default_settings")

SITE = '[[site]]\nhosts = ["a.example"]\norigins = ["http://127.0.0.1:1"]\n'
RULE = '[[site.rules]]\nredirect = {{ to = "{}" }}\n'


def run(folder: Path, text: str, *command: str) -> Result:
    file = folder / "config.toml"
    file.write_text(text)
    return CliRunner().invoke(app, [*command, "--config", str(file)])


@pytest.mark.parametrize("command", [("config", "check"), ("serve",)])
def test_a_site_that_no_request_reaches_over_https_does_not_redirect_to_it(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    result = run(tmp_path, f"{SITE}redirect_https = true\n", *command)
    assert result.exit_code == 2
    assert "site#1.redirect_https: found true, expected tls with the certificate of the site" in result.stderr


def test_behind_a_trusted_proxy_it_may(tmp_path: Path) -> None:
    text = f'trusted_proxies = ["127.0.0.1"]\n{SITE}redirect_https = true\n'
    assert run(tmp_path, text, "config", "check").exit_code == 0


@pytest.mark.parametrize(
    ("to", "is_noted"),
    [("https://{host}{target}", True), ("https://a.example{path}", True), ("https://b.example{target}", False)],
)
def test_a_rule_that_may_redirect_for_ever_is_explained(to: str, is_noted: bool, tmp_path: Path) -> None:
    result = run(tmp_path, SITE + RULE.format(to), "config", "check", "--json")
    notes = json.loads(result.stdout)["notes"]
    assert [note.partition(" redirects")[0] for note in notes] == (["site#1.rules#1"] if is_noted else [])
