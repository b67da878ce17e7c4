"""Import of a WARC: any bytes are exchanges or a named error, and an export of these exchanges is read as the same."""

from __future__ import annotations

from addon.recordings.codecs import warc_export, warc_import
from tools.fuzz.recordings import check_import

TOKENS = [
    *(b"WARC/1.1\r\n", b"WARC-Type: response\r\n", b"WARC-Type: request\r\n", b"WARC-Record-ID: <urn:a>\r\n"),
    *(b"WARC-Target-URI: http://a/\r\n", b"WARC-Date: 2026-11-06T12:00:00Z\r\n", b"Content-Length: 50\r\n\r\n"),
    *(b"Content-Type: application/http; msgtype=response\r\n", b"HTTP/1.1 200 OK\r\n", b"\r\n\r\n", b"GET / HTTP/1.1"),
    *(b"WARC-Concurrent-To: <urn:a>\r\n", b"WARC-Payload-Digest: sha256:", b"Transfer-Encoding: chunked\r\n"),
    *(b"5\r\nhello\r\n0\r\n\r\n", b"WARC-Block-Digest: ", b"Secondhand-Request-Content-SHA256: ", b"\x1f\x8b\x08"),
]


def check(data: bytes) -> None:
    """Import bytes, export what was imported, and import that."""
    check_import(data, warc_import.read_exchanges, warc_export.export)
