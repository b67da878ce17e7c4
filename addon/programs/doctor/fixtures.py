"""What the programs ask for: copies that lie in a store from the beginning, of a site that nobody has."""

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
"""A name that never resolves (RFC 6761 §6.2)."""

PACKAGE = "secondhand-specimen"
SAID = "a copy, as it should be"

_MAX_SIZE = 1 << 26


def fill(directory: Path) -> None:
    """Store them all, for http and https. Raises StoreError."""
    store = DiskStore(directory, _MAX_SIZE)
    try:
        for scheme in ("http", "https"):
            base = f"{scheme}://{SITE}"
            for path, (media_type, content) in _contents(base).items():
                _keep(store, f"{base}{path}", media_type, content)
    finally:
        store.close()


def _contents(base: str) -> dict[str, tuple[str, bytes]]:
    """Return media type and content of every copy, by path and query."""
    wheel = "secondhand_specimen-1-py3-none-any.whl"
    packument = {
        "name": PACKAGE,
        "dist-tags": {"latest": "1.0.0"},
        "versions": {"1.0.0": {"name": PACKAGE, "version": "1.0.0", "dist": {"tarball": f"{base}/none.tgz"}}},
    }
    crate = {"crates": [{"name": PACKAGE, "max_version": "1.0.0", "description": SAID}], "meta": {"total": 1}}
    head = f"{'1' * 40}\trefs/heads/main\n"
    return {
        "/": ("text/html", f"<!DOCTYPE html><title>specimen</title><p>{SAID}".encode()),
        f"/simple/{PACKAGE}/": ("text/html", f'<!DOCTYPE html><a href="../../{wheel}">{wheel}</a>'.encode()),
        f"/{wheel}": ("application/zip", _wheel()),
        f"/npm/{PACKAGE}": ("application/json", json.dumps(packument).encode()),
        f"/cargo/api/v1/crates?q={PACKAGE}&per_page=10": ("application/json", json.dumps(crate).encode()),
        "/cargo/config.json": ("application/json", json.dumps({"dl": f"{base}/dl", "api": f"{base}/cargo"}).encode()),
        "/specimen.git/info/refs?service=git-upload-pack": ("text/plain", head.encode()),
        "/specimen.git/HEAD": ("text/plain", b"ref: refs/heads/main\n"),
        "/go/example.org/specimen/@v/list": ("text/plain", b"v1.0.0\n"),
        "/go/example.org/specimen/@v/v1.0.0.info": ("application/json", b'{"Version": "v1.0.0"}'),
        "/go/example.org/specimen/@v/v1.0.0.mod": ("text/plain", b"module example.org/specimen\n"),
    }


def _wheel() -> bytes:
    """Return the smallest wheel that pip takes."""
    about = "secondhand_specimen-1.dist-info"
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w") as wheel:
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    return octets.getvalue()


def _keep(store: DiskStore, uri: str, media_type: str, content: bytes) -> None:
    now = time.time()
    fields = Fields(
        (("Content-Type", media_type), ("Cache-Control", "max-age=86400"), ("Content-Length", str(len(content))))
    )
    head = Response(200, "OK", fields)
    writer = store.writer()
    writer.write(content)
    writer.commit(StoredResponse(secrets.token_hex(16), key_of_uri(uri), "GET", uri, head, now, now, now))
