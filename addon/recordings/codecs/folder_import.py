"""Import of exchanges from an exported folder, or from a ZIP of it. A ZIP is never extracted to disk."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import msgspec

from addon.recordings.codecs.folder_format import CONTENTS, MANIFEST, MAX_MANIFEST, Manifest, ManifestExchange
from addon.recordings.library import RecordingError
from addon.recordings.recorded_exchange import CHUNK, RecordedExchange
from cache.http.messages import Fields, Received, Response
from cache.rules.key import request_for

OpenFile = Callable[[str], BinaryIO]
"""Opens a file by its path within the folder. Raises OSError, KeyError and the errors of zipfile."""

_UNREADABLE_ZIP = (
    zipfile.BadZipFile,
    NotImplementedError,  # a compression that zipfile does not know
    RuntimeError,  # an encrypted file
    UnicodeDecodeError,  # a name that is no text
)
"""The exceptions that zipfile raises for a ZIP that it cannot read."""


def read_exchanges(path: Path) -> Iterator[RecordedExchange]:
    """Iterate over the exchanges in a folder, or in a ZIP of one. Raises RecordingError with the position."""
    if path.is_dir():
        yield from _listed_exchanges(path, lambda name: _open_regular(path / name))
        return
    try:
        with zipfile.ZipFile(path) as archive:
            top = _top_folder(archive, path)
            yield from _listed_exchanges(path, lambda name: archive.open(top + name))  # type: ignore[arg-type,return-value]  # opened for reading
    except _UNREADABLE_ZIP as error:
        raise RecordingError(f"{path}: expected a ZIP: {error}") from None


def _open_regular(file: Path) -> BinaryIO:
    # a symbolic link could lead to any file of this machine
    return os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")


def _top_folder(archive: zipfile.ZipFile, path: Path) -> str:
    """Return the path before the manifest's name, empty or ending in a slash: the ZIP may contain the folder itself."""
    found = [name for name in archive.namelist() if name == MANIFEST or name.endswith(f"/{MANIFEST}")]
    if len(found) != 1:
        raise RecordingError(f"{path}: expected one {MANIFEST}, found {len(found)}")
    return found[0].removesuffix(MANIFEST)


def _listed_exchanges(path: Path, open_file: OpenFile) -> Iterator[RecordedExchange]:
    data = b"".join(_read(open_file, MANIFEST, MAX_MANIFEST, f"{path}: {MANIFEST}"))
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(f"{path}: {MANIFEST}: {error}") from None
    for number, listed in enumerate(manifest.exchanges):
        yield _exchange(listed, f"{path}: $.exchanges[{number}]", open_file)


def _exchange(listed: ManifestExchange, source: str, open_file: OpenFile) -> RecordedExchange:
    try:
        request = request_for(listed.url, Fields(listed.request_fields))
        request = replace(request, method=listed.method, content_digest=listed.request_content or "")
    except ValueError as error:
        raise RecordingError(f"{source}: {error}") from None
    head = Response(listed.status, listed.reason, Fields(listed.fields), listed.version)
    name = f"{CONTENTS}/{listed.content}"

    def content() -> Iterator[bytes]:
        return _read(open_file, name, listed.length, f"{source}: {name}")

    return RecordedExchange(
        source=source,
        request=request,
        received=Received(head, listed.request_time, listed.response_time),
        content=content,
        length=listed.length,
        sha256=listed.content,
        scrubbed=listed.scrubbed,
    )


def _read(open_file: OpenFile, name: str, limit: int, source: str) -> Iterator[bytes]:
    """Iterate over a file of at most `limit` bytes: a small compressed file may decompress to an endless one."""
    left = limit
    try:
        with open_file(name) as stream:
            while data := stream.read(min(CHUNK, left + 1)):
                left -= len(data)
                if left < 0:
                    raise RecordingError(f"{source}: longer than the expected {limit} bytes")
                yield data
    except (OSError, KeyError, EOFError, *_UNREADABLE_ZIP) as error:
        raise RecordingError(f"{source}: cannot be read: {error}") from None
