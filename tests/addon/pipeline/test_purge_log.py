"""The log of purges."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from addon.pipeline import purge_log
from addon.pipeline.purge_log import PurgeLog
from addon.pipeline.purge_orders import PurgeOrder
from cache.stores.base import Extent
from cache.stores.purge_scopes import ALL, Scope

ORDER = PurgeOrder((Scope(ALL, soft=True),), "all\nof it", "the user root")


def test_each_purge_is_a_line_that_only_the_owner_can_read(tmp_path: Path) -> None:
    log = PurgeLog(tmp_path / "purges.log", lambda: 1_800_000_000.25)
    log.note(ORDER, Extent(7))
    log.note(ORDER, Extent(0, 12))
    first, second = map(json.loads, (tmp_path / "purges.log").read_text().splitlines())
    assert first == {
        "time": "2027-01-15T08:00:00.250+00:00",
        "by": "the user root",
        "what": "all\nof it",
        "soft": True,
        "dry_run": False,
        "copies": 7,
    }
    assert (second["copies"], second["size"]) == (0, 12)
    assert (tmp_path / "purges.log").stat().st_mode & 0o777 == 0o600


def test_a_long_log_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge_log, "MAX_SIZE", 10)
    log = PurgeLog(tmp_path / "purges.log", lambda: 0.0)
    for number in range(3):
        log.note(ORDER, Extent(number))
    lines = [json.loads(line)["copies"] for line in (tmp_path / "purges.log.1").read_text().splitlines()]
    assert lines
    assert len(list(tmp_path.iterdir())) <= 2


def test_a_line_that_cannot_be_written_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    PurgeLog(tmp_path / "missing" / "purges.log", lambda: 0.0).note(ORDER, Extent(7))
    assert "a purge was not logged" in caplog.text
    assert "the user root" in caplog.text
