"""Export of a recording to WARC 1.1, for the tools of web archives."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from io import BytesIO, RawIOBase
from typing import BinaryIO

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from addon.recordings.recorded_exchange import RecordedExchange
from cache.http.messages import Fields

SCRUBBED = "Secondhand-Scrubbed"
"""A record field of ours: secrets were removed from the response."""

REQUEST_CONTENT = "Secondhand-Request-Content-SHA256"
"""A record field of ours: digest of the request content, which is not stored itself."""


def export(exchanges: Iterable[RecordedExchange], file: BinaryIO) -> None:
    """Write each exchange as a response record and a request record. Raises RecordingError, StoreError and OSError."""
    writer = WARCWriter(file, gzip=True, warc_version="1.1")
    info = {"software": f"secondhand/{version('secondhand')}", "format": "WARC File Format 1.1"}
    writer.write_record(writer.create_warcinfo_record("", info))
    for exchange in exchanges:
        head = _response_head(exchange)
        response = writer.create_warc_record(
            exchange.request.uri,
            "response",
            payload=_ContentReader(exchange),
            length=exchange.length,
            http_headers=head,
            warc_headers_dict={
                "WARC-Date": _date(exchange.received.response_time),
                **_digests(head, exchange),
                **({SCRUBBED: "yes"} if exchange.scrubbed else {}),
                **({REQUEST_CONTENT: digest} if (digest := exchange.request.content_digest) else {}),
            },
        )
        request = writer.create_warc_record(
            exchange.request.uri,
            "request",
            payload=BytesIO(),
            length=0,
            http_headers=_request_head(exchange),
            warc_headers_dict={"WARC-Date": _date(exchange.received.request_time)},
        )
        response_id = response.rec_headers.get_header("WARC-Record-ID")
        request.rec_headers.add_header("WARC-Concurrent-To", response_id)
        writer.write_record(response)
        writer.write_record(request)


class _HttpHead(StatusAndHeaders):  # type: ignore[misc] # warcio has no types
    """An HTTP head that is written in Latin-1, as received; warcio would rewrite characters outside ASCII."""

    def encoded(self) -> bytes:
        """Return the head as it is written."""
        lines = [f"{self.protocol} {self.statusline}", *(f"{name}: {value}" for name, value in self.headers), "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def compute_headers_buffer(self, header_filter: object = None) -> None:  # noqa: ARG002 - warcio's signature
        """Set the bytes that warcio writes."""
        self.headers_buff = self.encoded()


def _digests(head: _HttpHead, exchange: RecordedExchange) -> dict[str, str]:
    """Return the digest fields of a record, computed in advance: warcio would spool the content to a file for that."""
    block, payload = hashlib.sha256(head.encoded()), hashlib.sha256()
    for chunk in exchange.content():
        block.update(chunk)
        payload.update(chunk)
    return {"WARC-Block-Digest": _digest_value(block.digest()), "WARC-Payload-Digest": _digest_value(payload.digest())}


def _digest_value(digest: bytes) -> str:
    return f"sha256:{b32encode(digest).decode()}"


def _response_head(exchange: RecordedExchange) -> _HttpHead:
    head = exchange.received.head
    protocol = head.version if head.version == "HTTP/1.0" else "HTTP/1.1"  # WARC defines no heads of HTTP/2 and 3
    return _HttpHead(f"{head.status} {head.reason}", list(head.fields), protocol=protocol)


def _request_head(exchange: RecordedExchange) -> _HttpHead:
    request = exchange.request
    fields = Fields((("Host", request.authority), *request.fields))
    return _HttpHead(f"{request.target} {request.version}", list(fields), protocol=request.method)


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class _ContentReader(RawIOBase):
    """The content of an exchange as a file that can be read once."""

    def __init__(self, exchange: RecordedExchange) -> None:
        super().__init__()
        self._chunks: Iterator[bytes] = exchange.content()
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most one chunk; empty at the end."""
        if not self._rest:
            self._rest = next(self._chunks, b"")
        data, self._rest = (self._rest, b"") if size < 0 else (self._rest[:size], self._rest[size:])
        return data
