"""Export of a recording to a folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from addon.recordings.codecs.folder_format import CONTENTS, MANIFEST, Manifest, ManifestExchange
from addon.recordings.recorded_exchange import RecordedExchange


def export(exchanges: Iterable[RecordedExchange], folder: Path) -> None:
    """Write exchanges into a new folder. Raises OSError if the folder exists, or cannot be written."""
    folder.mkdir(parents=True)
    contents = folder / CONTENTS
    contents.mkdir()
    listed = []
    for exchange in exchanges:
        file = contents / exchange.sha256
        if not file.exists():
            with file.open("xb") as stream:
                stream.writelines(exchange.content())
        listed.append(_manifest_exchange(exchange))
    manifest = msgspec.json.encode(Manifest("secondhand recording", 1, listed))
    (folder / MANIFEST).write_bytes(msgspec.json.format(manifest, indent=1) + b"\n")


def _manifest_exchange(exchange: RecordedExchange) -> ManifestExchange:
    head, received = exchange.received.head, exchange.received
    return ManifestExchange(
        method=exchange.request.method,
        url=exchange.request.uri,
        request_fields=exchange.request.fields.lines,
        status=head.status,
        reason=head.reason,
        version="HTTP/1.0" if head.version == "HTTP/1.0" else "HTTP/1.1",
        fields=head.fields.lines,
        request_time=received.request_time,
        response_time=received.response_time,
        content=exchange.sha256,
        length=exchange.length or 0,
        scrubbed=exchange.scrubbed,
        request_content=exchange.request.content_digest or None,
    )
