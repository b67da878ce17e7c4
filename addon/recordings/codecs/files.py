"""Recordings out to files and in from files, whichever format."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from addon.recordings.codecs import folder_export, folder_import, har_export, har_import, warc_export, warc_import
from addon.recordings.codecs.formats import Format
from addon.recordings.library import RecordingError, RecordingLibrary
from addon.recordings.recorded_exchange import Intake, LeftOut, Limits, RecordedExchange, exchanges
from cache.policy.cache_policy import CachePolicy
from cache.policy.recordings import recording_policy


def write(library: RecordingLibrary, name: str, form: Format, out: Path) -> None:
    """Write a recording to what does not exist yet. Raises StoreError and OSError; then what was written is gone."""
    if out.exists():
        raise RecordingError(f"{out} is there already: expected a place for what is new")
    with library.opened(name) as store:
        if form is Format.DIR:
            folder_export.export(exchanges(store), out)
            return
        with out.open("xb") as file:
            try:
                (har_export if form is Format.HAR else warc_export).export(exchanges(store), file)
            except BaseException:
                out.unlink(missing_ok=True)
                raise


def read(
    library: RecordingLibrary, name: str, path: Path, policy: CachePolicy, limits: Limits
) -> tuple[int, list[LeftOut]]:
    """Make a recording of a file. Return how many exchanges it has, and what of the file it has not.

    Raises:
        RecordingError: the file is malformed, or brings more than allowed; then there is no recording.
        StoreError: the recording cannot be made.
    """
    left_out = []
    with library.made(name) as store:
        intake = Intake(store, recording_policy(policy, name), limits)
        for each in _exchanges_in(path):
            refused = each if isinstance(each, LeftOut) else intake.take(each)
            if refused:
                left_out.append(refused)
    return intake.kept, left_out


def _exchanges_in(path: Path) -> Iterator[RecordedExchange | LeftOut]:
    """Iterate over the exchanges of a file, whose beginning says what it is."""
    if not path.exists():
        raise RecordingError(f"{path}: expected a file or folder to read")
    if path.is_dir() or zipfile.is_zipfile(path):
        return folder_import.exchanges_in(path)
    with path.open("rb") as file:
        beginning = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    if beginning.startswith(b"{"):
        return har_import.exchanges_in(path)
    if beginning.startswith((b"WARC/", b"\x1f\x8b")):
        return warc_import.exchanges_in(path)
    raise RecordingError(f"{path}: expected a HAR, a WARC, or a folder or ZIP with a manifest.json")
