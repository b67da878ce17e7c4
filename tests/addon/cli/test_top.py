"""The command top: one look, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from addon.cli import top
from tests.fixtures.command_line import secondhand
from tests.fixtures.kept_copies import running_proxy
from tests.fixtures.told_numbers import ToldNumbers

pytestmark = pytest.mark.usefixtures("default_settings")


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(top, "INTERVAL", 0.0)


def test_one_look_has_outcomes_times_hosts_and_exchanges(directory: Path) -> None:
    with running_proxy(directory, **ToldNumbers().handlers()):
        printed = secondhand("top", "--once", "--store", directory).stdout
    lines = printed.splitlines()
    assert "hit rate 75.0% now, 74.1% in all, saved 2 KiB and 1m 5s" in lines[0]
    rows = [line.split("\t") for line in lines]
    outcomes = {row[0]: row[2:] for row in rows[: rows.index([""], 2)]}
    assert outcomes["hit"] == ["60", "74.1%"]
    assert ["hit", "≤ 1 ms", "≤ 1 ms", "≤ 50 ms"] in rows
    assert [row[2:4] for row in rows if row[0] == "0.test"] == [["80", "75.0%"]]
    assert sum(row[0].endswith(".test") for row in rows) == top.MAX_HOSTS
    newest = rows[rows.index(["TIME", "STATUS", "DECISION/REASON", "TOOK", "URL"]) + 1]
    assert newest[1:4] == ["203", "uri-miss/no-store", "40 ms"]


def test_text_from_outside_cannot_control_the_terminal(directory: Path) -> None:
    with running_proxy(directory, **ToldNumbers().handlers()):
        printed = secondhand("top", "--store", directory).stdout
    assert "\x1b" not in printed
    assert "\u202e" not in printed
    assert "http://a.test/\\x1b]0;owned\\x07\\u202egnp  (7 times)" in printed


def test_one_look_as_json(directory: Path) -> None:
    with running_proxy(directory, **ToldNumbers().handlers()):
        found = json.loads(secondhand("top", "--json", "--store", directory).stdout)
    assert found["counts"]["hit"] == 60
    assert found["mode"] == "auto"
    assert len(found["exchanges"]) == top.MAX_EXCHANGES
    assert found["requests_per_second"] > 0


def test_a_proxy_without_an_admin_listener_is_shown_without_exchanges(directory: Path) -> None:
    handlers = ToldNumbers().handlers()
    del handlers["exchanges"]
    with running_proxy(directory, **handlers):
        result = secondhand("top", "--once", "--store", directory)
    assert [line.split("\t")[2] for line in result.stdout.splitlines() if line.startswith("0.test")] == ["80"]
    assert "Exchanges are listed only with an admin listener: admin.listen." in result.stderr


def test_without_a_proxy_it_fails(directory: Path) -> None:
    result = secondhand("top", "--once", "--store", directory)
    assert result.exit_code == 1
    assert f"no proxy is running on {directory}" in result.stderr
