"""The properties of an import of any format: it ends with a named error, or with exchanges that can be exported."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from tempfile import gettempdir
from typing import BinaryIO

from addon.recordings.library import RecordingError
from addon.recordings.recorded_exchange import (
    ExchangeWriter,
    Limits,
    RecordedExchange,
    SkippedExchange,
    exchanges,
    whole_content,
)
from cache.http.messages import Received, Request
from cache.policy.cache_policy import CachePolicy, KeyPolicy
from cache.policy.recordings import recording_policy
from cache.stores.memory import MemoryStore

Read = Callable[[Path], Iterable[RecordedExchange | SkippedExchange]]
Export = Callable[[Iterable[RecordedExchange], BinaryIO], None]
type Exchange = tuple[Request, Received, bytes, bool]

LIMITS = Limits(per_content=1_000_000, total=2_000_000)
POLICY = recording_policy(CachePolicy(keying=KeyPolicy(credential_key=bytes(32))), "fuzz")
FILE = Path(gettempdir()) / f"fuzz-import-{os.getpid()}"


def check_import(data: bytes, read: Read, export: Export) -> None:
    """Import bytes. If that gives a recording: an export of it is imported as the same recording."""
    try:
        store = _imported(data, read)
    except RecordingError as error:
        assert str(FILE) in str(error), error
        assert "\n" not in str(error), error
        return
    exported = BytesIO()
    export(exchanges(store), exported)
    assert _listed(_imported(exported.getvalue(), read)) == _listed(store)


def _imported(data: bytes, read: Read) -> MemoryStore:
    """Return what an import of these bytes stores. Raises RecordingError."""
    store = MemoryStore(10 * LIMITS.total)
    writer = ExchangeWriter(store, POLICY, LIMITS)
    FILE.write_bytes(data)
    try:
        for each in read(FILE):
            if isinstance(each, RecordedExchange):
                writer.write(each)
    finally:
        FILE.unlink()
    return store


def _listed(store: MemoryStore) -> list[Exchange]:
    return [(each.request, each.received, whole_content(each), each.scrubbed) for each in exchanges(store)]
