"""Temporary recordings: what a killed process leaves is deleted, and what another one has open is not."""

from __future__ import annotations

import select
import subprocess
import sys
from pathlib import Path

from addon.recordings.library import RecordingLibrary
from tests.addon.recordings.libraries import put
from tests.fixtures.until import LONGEST

_USE = """
import sys
from pathlib import Path
from addon.recordings.library import RecordingLibrary
with RecordingLibrary(Path(sys.argv[1])).temporary():
    print("open", flush=True)
    sys.stdin.read()
"""


def directories(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def test_a_temporary_recording_is_deleted_once_its_process_is_gone(library: RecordingLibrary, tmp_path: Path) -> None:
    folder = tmp_path / "store" / "recordings"
    with library.create("temporary"):
        pass
    command = (sys.executable, "-c", _USE, str(folder))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout is not None
            assert select.select([other.stdout], [], [], LONGEST)[0], "the other process says nothing"
            assert other.stdout.readline() == "open\n"
            (of_other,) = directories(folder) - {"temporary"}
            with library.temporary() as store:
                put(store, "http://a.test/")
                assert len(directories(folder) - {"temporary", of_other}) == 1
            assert directories(folder) == {"temporary", of_other}
        finally:
            other.kill()
    assert directories(folder) == {"temporary", of_other}
    with library.temporary():
        assert of_other not in directories(folder)
    assert directories(folder) == {"temporary"}


def test_the_draft_of_a_recording_is_no_temporary_one(library: RecordingLibrary) -> None:
    with library.create("temporary") as store:
        with library.temporary():
            pass
        put(store, "http://a.test/")
    assert library.names() == ["temporary"]
