"""Space for a file is taken on the disk, also where the system has no call for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cache.stores.disk.allocation import allocate


@pytest.mark.parametrize("system_has_call", [True, False])
def test_a_file_gets_space_and_keeps_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, system_has_call: bool
) -> None:
    if not system_has_call:
        monkeypatch.delattr(os, "posix_fallocate")
    with (tmp_path / "file").open("w+b") as file:
        file.write(b"content")
        file.flush()
        allocate(file.fileno(), 10_000)
        allocate(file.fileno(), 5_000)
        assert (tmp_path / "file").read_bytes() == b"content".ljust(10_000, b"\0")
    assert (tmp_path / "file").stat().st_blocks * 512 >= 10_000
