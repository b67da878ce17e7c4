"""The command hist: the times since the start, as a table and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fixtures.command_line import secondhand
from tests.fixtures.kept_copies import running_proxy
from tests.fixtures.told_numbers import ToldNumbers

pytestmark = pytest.mark.usefixtures("default_settings")


def test_each_stretch_of_time_has_a_row(directory: Path) -> None:
    with running_proxy(directory, **ToldNumbers().handlers()):
        printed = secondhand("hist", "--once", "--store", directory).stdout
    rows = [line.split("\t") for line in printed.splitlines()]
    assert rows[0] == ["WITHIN", "HIT", "VALIDATED", "MISS", "PASS"]
    assert ["≤ 1 ms", "98", "0", "0", "0"] in rows
    assert ["≤ 50 ms", "1", "0", "0", "0"] in rows
    assert rows[-1] == ["> 10 s", "1", "0", "0", "0"]


def test_the_numbers_as_json(directory: Path) -> None:
    with running_proxy(directory, **ToldNumbers().handlers()):
        found = json.loads(secondhand("hist", "--json", "--store", directory).stdout)
    assert found["hit"]["≤ 1 ms"] == 98
    assert sum(found["miss"].values()) == 0


def test_without_a_proxy_it_fails(directory: Path) -> None:
    result = secondhand("hist", "--store", directory)
    assert result.exit_code == 1
    assert f"no proxy is running on {directory}" in result.stderr
