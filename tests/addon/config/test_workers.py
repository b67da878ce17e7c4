"""The key `workers`: a number or `auto`, and where more than one is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from addon.cli import app
from addon.config.errors import ConfigError
from addon.config.load import configure
from addon.config.workers import usable_cores


@pytest.mark.parametrize(("text", "count"), [("1", 1), ("4", 4), ("auto", usable_cores())])
def test_the_number_of_workers_comes_from_a_variable_too(text: str, count: int) -> None:
    assert configure(None, {}, {"SECONDHAND_WORKERS": text}).settings.worker_count == count


@pytest.mark.parametrize("value", [0, -1, 257, True, "many", 1.5])
def test_other_numbers_are_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r'workers: found .*, expected a number from 1 to 256, or "auto"'):
        configure(None, {"workers": value}, {})


@pytest.mark.parametrize(
    ("quota", "cores"), [("100000 100000", 1), ("150000 100000", 2), ("50000 100000", 1), ("max 100000", None)]
)
def test_a_container_has_as_many_cores_as_it_may_use(quota: str, cores: int | None, tmp_path: Path) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(quota)
    all_cores = len(os.sched_getaffinity(0))
    assert usable_cores(file) == min(cores or all_cores, all_cores)
    assert usable_cores(tmp_path / "missing") == all_cores


@pytest.mark.usefixtures("default_settings")
def test_config_check_refuses_workers_without_a_shared_store(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("workers = 2\n[store]\nkind = 'memory'\n")
    result = CliRunner().invoke(app, ["config", "check", "--config", str(file), "--json"])
    [fault] = json.loads(result.stdout)["faults"]
    assert (fault["where"], fault["key"]) == (str(file), "workers")
    file.write_text("workers = 1\n[store]\nkind = 'memory'\n")
    assert CliRunner().invoke(app, ["config", "check", "--config", str(file)]).exit_code == 0
