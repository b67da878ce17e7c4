"""The cache inside another mitmproxy: its start and its end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from mitmproxy.test import taddons

from addon.frontend.mitm.embedded import Embedded
from addon.recordings.library import RecordingNotFoundError


def test_a_recording_that_cannot_be_replayed_fails_each_use_at_once(
    default_settings: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Regression: the first failure was reported, and every later request waited for ever."""
    monkeypatch.setenv("SECONDHAND_STORE__PATH", str(tmp_path / "store"))
    monkeypatch.setenv("SECONDHAND_RECORDINGS__REPLAY", "missing")

    async def scenario() -> None:
        embedded = Embedded()
        with taddons.context(embedded):
            for _ in range(2):
                with pytest.raises(RecordingNotFoundError):
                    await asyncio.wait_for(embedded.running(), 10)
            await embedded.done()

    asyncio.run(scenario())
