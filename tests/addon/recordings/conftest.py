"""Settings without influence of the environment, an empty library of recordings, and an origin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from addon.recordings.library import RecordingLibrary
from tests.fixtures.web_origin import Origin


@pytest.fixture(autouse=True)
def isolated_settings(default_settings: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECONDHAND_STORE__PATH", str(tmp_path / "store"))


@pytest.fixture
def library(tmp_path: Path) -> RecordingLibrary:
    return RecordingLibrary(tmp_path / "store" / "recordings")


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin
