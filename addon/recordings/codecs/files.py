"""Export of recordings to files and import from files, in any format."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from addon.recordings.codecs import folder_export, folder_import, har_export, har_import, warc_export, warc_import
from addon.recordings.codecs.formats import Format
from addon.recordings.library import RecordingError, RecordingLibrary
from addon.recordings.recorded_exchange import ExchangeWriter, Limits, RecordedExchange, SkippedExchange, exchanges
from cache.policy.cache_policy import CachePolicy
from cache.policy.recordings import recording_policy


def write(library: RecordingLibrary, name: str, form: Format, out: Path) -> None:
    """Export a recording to a new file or folder. Raises StoreError and OSError; then an unfinished file is deleted."""
    if out.exists():
        raise RecordingError(f"{out} already exists: expected the path of a new file or folder")
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
) -> tuple[int, list[SkippedExchange]]:
    """Import a file as a new recording. Return the number of exchanges in it, and what was skipped.

    Raises:
        RecordingError: the file is malformed, or exceeds the limits; then no recording is created.
        StoreError: the recording cannot be created.
    """
    skipped = []
    with library.create(name) as store:
        writer = ExchangeWriter(store, recording_policy(policy, name), limits)
        for each in _read_exchanges(path):
            result = each if isinstance(each, SkippedExchange) else writer.write(each)
            if result:
                skipped.append(result)
    return writer.written, skipped


def _read_exchanges(path: Path) -> Iterator[RecordedExchange | SkippedExchange]:
    """Iterate over the exchanges in a file; its first bytes tell the format."""
    if not path.exists():
        raise RecordingError(f"{path}: expected a file or folder to read")
    if path.is_dir() or zipfile.is_zipfile(path):
        return folder_import.read_exchanges(path)
    with path.open("rb") as file:
        beginning = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    if beginning.startswith(b"{"):
        return har_import.read_exchanges(path)
    if beginning.startswith((b"WARC/", b"\x1f\x8b")):
        return warc_import.read_exchanges(path)
    raise RecordingError(f"{path}: expected a HAR, a WARC, or a folder or ZIP with a manifest.json")
