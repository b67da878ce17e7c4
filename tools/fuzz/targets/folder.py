"""Import of a ZIP or a folder: any bytes are exchanges or a named error, and an export of these is read as the same.

Bytes that begin with `{` are the manifest of a ZIP with one content; all others are the ZIP itself.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from addon.recordings.codecs import folder_export, folder_import
from addon.recordings.codecs.folder_format import CONTENTS, MANIFEST
from addon.recordings.recorded_exchange import RecordedExchange
from tools.fuzz.recordings import check_import

CONTENT = b"hello"
DIGEST = sha256(CONTENT).hexdigest()

TOKENS = [
    *(b'{"format":"secondhand recording","version":1,"exchanges":[', b'"method":"GET","url":"http://a/"', b"]}"),
    *(b'"request_fields":[]', b'"status":200', b'"reason":"OK"', b'"version":"HTTP/1.1"', b'"fields":[["', b'","'),
    *(b'"request_time":1', b'"response_time":1', b'"length":5', b'"scrubbed":true', b'"request_content":null'),
    *(f'"content":"{DIGEST}"'.encode(), b"manifest.json", b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"),
]


def check(data: bytes) -> None:
    """Import bytes, export what was imported, and import that."""
    check_import(_zip_of(data) if data.startswith(b"{") else data, folder_import.read_exchanges, _export)


def _zip_of(manifest: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(MANIFEST, manifest)
        archive.writestr(f"{CONTENTS}/{DIGEST}", CONTENT)
    return file.getvalue()


def _export(exchanges: Iterable[RecordedExchange], file: BinaryIO) -> None:
    with TemporaryDirectory() as parent:
        folder = Path(parent) / "exported"
        folder_export.export(exchanges, folder)
        with zipfile.ZipFile(file, "w") as archive:
            for path in sorted(folder.rglob("*")):
                archive.write(path, path.relative_to(folder))
