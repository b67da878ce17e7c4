"""Settings without influence of the environment, and an empty library of recordings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from addon.recordings.library import RecordingLibrary


@pytest.fixture(autouse=True)
def default_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("SECONDHAND_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config-home"))
    monkeypatch.setenv("SECONDHAND_STORE__PATH", str(tmp_path / "store"))


@pytest.fixture
def library(tmp_path: Path) -> RecordingLibrary:
    return RecordingLibrary(tmp_path / "store" / "recordings")
