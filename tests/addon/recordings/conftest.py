"""Settings without influence of the environment, and an empty library of recordings."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.recordings.library import RecordingLibrary


@pytest.fixture(autouse=True)
def isolated_settings(default_settings: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECONDHAND_STORE__PATH", str(tmp_path / "store"))


@pytest.fixture
def library(tmp_path: Path) -> RecordingLibrary:
    return RecordingLibrary(tmp_path / "store" / "recordings")
