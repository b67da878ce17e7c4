"""Fills a store: a program of its own, run by the Python of the secondhand whose store it is.

Arguments: the store's directory, how many, what URLs begin with. They go on with 1, 2, ...
"""

from __future__ import annotations

import sys
import time
import uuid
from contextlib import AbstractContextManager, nullcontext
from email.utils import formatdate
from pathlib import Path

from cache.entry import StoredResponse
from cache.key import key_of_uri
from cache.messages import Fields, Response
from cache.stores.disk import DiskStore

BATCH = 5000
"""Responses in one transaction, or it takes hours."""

BODY = bytes(range(256)) * 4


def main(directory: Path, count: int, beginning: str) -> None:
    """Store so many responses."""
    store = DiskStore(directory, max_size=64 << 30)
    uris = iter([f"{beginning}{number}" for number in range(1, count + 1)])
    for _ in range(0, count, BATCH):
        with _together(store):
            for _, uri in zip(range(BATCH), uris, strict=False):
                _store(store, uri)
    store.close()


def _store(store: DiskStore, uri: str) -> None:
    now = time.time()
    fields = (
        ("Server", "nginx"),
        ("Date", formatdate(now, usegmt=True)),
        ("Content-Type", "application/octet-stream"),
        ("Content-Length", str(len(BODY))),
        ("Last-Modified", "Tue, 24 Nov 2026 23:45:20 GMT"),
        ("ETag", '"6b062190-400"'),
        ("Cache-Control", "max-age=86400"),
        ("Accept-Ranges", "bytes"),
    )
    target = "/" + uri.split("/", 3)[3]
    writer = store.writer()
    writer.write(BODY)
    writer.commit(
        StoredResponse(
            id=uuid.uuid4().hex,
            key=key_of_uri(uri),
            method="GET",
            target=target,
            head=Response(200, "OK", Fields(fields)),
            request_time=now,
            response_time=now,
            stored_at=now,
        )
    )


def _together(store: DiskStore) -> AbstractContextManager[object]:
    """A transaction around many, where the store's rows let one be opened; a public way would serve nobody else."""
    rows = getattr(store, "_rows", None)
    begin = getattr(rows, "_transact", None)
    return begin() if begin else nullcontext()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
