"""Nobody's settings, and a shelf for recordings."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.recordings.library import RecordingLibrary


@pytest.fixture(autouse=True)
def nobody(no_own_settings: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECONDHAND_STORE__PATH", str(tmp_path / "store"))


@pytest.fixture
def library(tmp_path: Path) -> RecordingLibrary:
    return RecordingLibrary(tmp_path / "store" / "recordings")
