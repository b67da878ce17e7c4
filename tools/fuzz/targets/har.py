"""Import of a HAR: any bytes are exchanges or a named error, and an export of these exchanges is read as the same."""

from __future__ import annotations

from addon.recordings.codecs import har_export, har_import
from tools.fuzz.recordings import check_import

TOKENS = [
    *(b'{"log":{"version":"1.2","creator":{"name":"a","version":"1"},"entries":[', b'"startedDateTime":"', b"]}}"),
    *(b'"time":1', b'"request":{"method":"GET","url":"http://a/"', b'"headers":[{"name":"', b'","value":"', b"null"),
    *(b'"response":{"status":200', b'"content":{"text":"', b'"encoding":"base64"', b'"httpVersion":"', b"\\u0000"),
    *(b'"_octets":"', b'"_contentSha256":"', b'"_scrubbed":true', b'"postData":{"text":"', b"\\ud800", b"2026-11-06"),
]


def check(data: bytes) -> None:
    """Import bytes, export what was imported, and import that."""
    check_import(data, har_import.read_exchanges, har_export.export)
