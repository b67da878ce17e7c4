"""Exchanges out of a folder that a recording was written as, or out of a ZIP of it. Nothing is ever extracted."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import msgspec

from addon.recordings.codecs.folder_format import CONTENTS, MANIFEST, MAX_MANIFEST, Kept, Manifest
from addon.recordings.library import RecordingError
from addon.recordings.recorded_exchange import CHUNK, RecordedExchange
from cache.http.messages import Fields, Received, Response
from cache.rules.key import request_for

Open = Callable[[str], BinaryIO]
"""Opens a file by its path in the folder. Raises OSError, KeyError and zipfile's errors."""


def exchanges_in(path: Path) -> Iterator[RecordedExchange]:
    """Iterate over what a folder or a ZIP of one holds. Raises RecordingError, naming the place that is wrong."""
    if path.is_dir():
        yield from _exchanges(path, lambda name: _opened(path / name))
        return
    try:
        with zipfile.ZipFile(path) as archive:
            top = _top(archive, path)
            yield from _exchanges(path, lambda name: archive.open(top + name))  # type: ignore[arg-type,return-value]  # it reads
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise RecordingError(f"{path}: expected a ZIP: {error}") from None


def _opened(file: Path) -> BinaryIO:
    # a link could lead anywhere
    return os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")


def _top(archive: zipfile.ZipFile, path: Path) -> str:
    """Return what stands before the manifest's name: the folder itself may have been packed."""
    found = [name for name in archive.namelist() if name == MANIFEST or name.endswith(f"/{MANIFEST}")]
    if len(found) != 1:
        raise RecordingError(f"{path}: expected one {MANIFEST}, found {len(found)}")
    return found[0].removesuffix(MANIFEST)


def _exchanges(path: Path, open_file: Open) -> Iterator[RecordedExchange]:
    octets = b"".join(_read(open_file, MANIFEST, MAX_MANIFEST, f"{path}: {MANIFEST}"))
    try:
        manifest = msgspec.json.decode(octets, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(f"{path}: {MANIFEST}: {error}") from None
    for number, kept in enumerate(manifest.exchanges):
        yield _exchange(kept, f"{path}: $.exchanges[{number}]", open_file)


def _exchange(kept: Kept, place: str, open_file: Open) -> RecordedExchange:
    try:
        request = request_for(kept.url, Fields(kept.request_fields))
        request = replace(request, method=kept.method, content_digest=kept.request_content or "")
    except ValueError as error:
        raise RecordingError(f"{place}: {error}") from None
    head = Response(kept.status, kept.reason, Fields(kept.fields), kept.version)
    received = Received(head, kept.request_time, kept.response_time)
    name = f"{CONTENTS}/{kept.content}"

    def content() -> Iterator[bytes]:
        return _read(open_file, name, kept.length, f"{place}: {name}")

    return RecordedExchange(place, request, received, content, kept.length, kept.content, kept.scrubbed)


def _read(open_file: Open, name: str, limit: int, place: str) -> Iterator[bytes]:
    """Iterate over a file that may have so many octets and no more: a packed one may claim to be endless."""
    left = limit
    try:
        with open_file(name) as stream:
            while octets := stream.read(min(CHUNK, left + 1)):
                left -= len(octets)
                if left < 0:
                    raise RecordingError(f"{place}: more than the {limit} octets that were said")
                yield octets
    except (OSError, KeyError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise RecordingError(f"{place}: cannot be read: {error}") from None
