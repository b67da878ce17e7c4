"""The stored responses that the examined programs request: a small site that does not exist."""

from __future__ import annotations

import io
import json
import secrets
import time
import zipfile
from pathlib import Path

from cache.http.messages import Fields, Response
from cache.rules.key import key_of_uri
from cache.rules.stored_response import StoredResponse
from cache.stores.disk.store import DiskStore

SITE = "secondhand-doctor.test"
"""A host name that never resolves (RFC 6761 §6.2)."""

PACKAGE = "secondhand-specimen"
GREETING = "a copy, as it should be"
"""Text that the content has and that several programs print."""

_MAX_SIZE = 1 << 26


def fill_store(directory: Path) -> None:
    """Store all responses, for http and https. Raises StoreError."""
    store = DiskStore(directory, _MAX_SIZE)
    try:
        for scheme in ("http", "https"):
            base = f"{scheme}://{SITE}"
            for path, (media_type, content) in _contents(base).items():
                _store_response(store, f"{base}{path}", media_type, content)
    finally:
        store.close()


def _contents(base: str) -> dict[str, tuple[str, bytes]]:
    """Return media type and content of every response, by path and query."""
    wheel = "secondhand_specimen-1-py3-none-any.whl"
    packument = {
        "name": PACKAGE,
        "dist-tags": {"latest": "1.0.0"},
        "versions": {"1.0.0": {"name": PACKAGE, "version": "1.0.0", "dist": {"tarball": f"{base}/none.tgz"}}},
    }
    crate = {"crates": [{"name": PACKAGE, "max_version": "1.0.0", "description": GREETING}], "meta": {"total": 1}}
    refs = f"{'1' * 40}\trefs/heads/main\n"
    return {
        "/": ("text/html", f"<!DOCTYPE html><title>specimen</title><p>{GREETING}".encode()),
        f"/simple/{PACKAGE}/": ("text/html", f'<!DOCTYPE html><a href="../../{wheel}">{wheel}</a>'.encode()),
        f"/{wheel}": ("application/zip", _wheel()),
        f"/npm/{PACKAGE}": ("application/json", json.dumps(packument).encode()),
        f"/cargo/api/v1/crates?q={PACKAGE}&per_page=10": ("application/json", json.dumps(crate).encode()),
        "/cargo/config.json": ("application/json", json.dumps({"dl": f"{base}/dl", "api": f"{base}/cargo"}).encode()),
        "/specimen.git/info/refs?service=git-upload-pack": ("text/plain", refs.encode()),
        "/specimen.git/HEAD": ("text/plain", b"ref: refs/heads/main\n"),
        "/go/example.org/specimen/@v/list": ("text/plain", b"v1.0.0\n"),
        "/go/example.org/specimen/@v/v1.0.0.info": ("application/json", b'{"Version": "v1.0.0"}'),
        "/go/example.org/specimen/@v/v1.0.0.mod": ("text/plain", b"module example.org/specimen\n"),
    }


def _wheel() -> bytes:
    """Return the smallest wheel that pip accepts."""
    metadata = "secondhand_specimen-1.dist-info"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as wheel:
        wheel.writestr(f"{metadata}/METADATA", f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1\n")
        wheel.writestr(f"{metadata}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{metadata}/RECORD", "")
    return buffer.getvalue()


def _store_response(store: DiskStore, uri: str, media_type: str, content: bytes) -> None:
    now = time.time()
    fields = Fields(
        (("Content-Type", media_type), ("Cache-Control", "max-age=86400"), ("Content-Length", str(len(content))))
    )
    writer = store.writer()
    writer.write(content)
    writer.commit(
        StoredResponse(
            id=secrets.token_hex(16),
            key=key_of_uri(uri),
            method="GET",
            target=uri,
            head=Response(200, "OK", fields),
            request_time=now,
            response_time=now,
            stored_at=now,
        )
    )
