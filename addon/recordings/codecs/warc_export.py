"""A recording as WARC 1.1: archives' tools read it, `warcio check` among them."""

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
"""Our own field of a record whose response is no longer the origin's octet for octet."""

REQUEST_CONTENT = "Secondhand-Request-Content-SHA256"
"""Our own field of a record whose request is known by what it sent, which is not kept."""


def export(exchanges: Iterable[RecordedExchange], file: BinaryIO) -> None:
    """Write exchanges, a request and a response record each."""
    writer = WARCWriter(file, gzip=True, warc_version="1.1")
    said = {"software": f"secondhand/{version('secondhand')}", "format": "WARC File Format 1.1"}
    writer.write_record(writer.create_warcinfo_record("", said))
    for exchange in exchanges:
        head = _response_head(exchange)
        response = writer.create_warc_record(
            exchange.request.uri,
            "response",
            payload=_Stream(exchange),
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


class _Head(StatusAndHeaders):  # type: ignore[misc] # warcio has no types
    """A head whose octets are just those of its fields; warcio would rewrite what is not ASCII."""

    def octets(self) -> bytes:
        """Return it as it is written."""
        lines = [f"{self.protocol} {self.statusline}", *(f"{name}: {value}" for name, value in self.headers), "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def compute_headers_buffer(self, header_filter: object = None) -> None:  # noqa: ARG002 - warcio's signature
        """Make the octets."""
        self.headers_buff = self.octets()


def _digests(head: _Head, exchange: RecordedExchange) -> dict[str, str]:
    """Return the digests of a record, made beforehand: warcio would hold the content in a file to make them."""
    block, payload = hashlib.sha256(head.octets()), hashlib.sha256()
    for chunk in exchange.content():
        block.update(chunk)
        payload.update(chunk)
    return {"WARC-Block-Digest": _labelled(block.digest()), "WARC-Payload-Digest": _labelled(payload.digest())}


def _labelled(digest: bytes) -> str:
    return f"sha256:{b32encode(digest).decode()}"


def _response_head(exchange: RecordedExchange) -> _Head:
    head = exchange.received.head
    version_said = head.version if head.version == "HTTP/1.0" else "HTTP/1.1"  # a WARC knows no other
    return _Head(f"{head.status} {head.reason}", list(head.fields), protocol=version_said)


def _request_head(exchange: RecordedExchange) -> _Head:
    request = exchange.request
    fields = Fields((("Host", request.authority), *request.fields))
    return _Head(f"{request.target} {request.version}", list(fields), protocol=request.method)


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class _Stream(RawIOBase):
    """An exchange's content as a file that is read once."""

    def __init__(self, exchange: RecordedExchange) -> None:
        super().__init__()
        self._chunks: Iterator[bytes] = exchange.content()
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """Return the next octets; no more of them than a chunk."""
        if not self._rest:
            self._rest = next(self._chunks, b"")
        taken, self._rest = (self._rest, b"") if size < 0 else (self._rest[:size], self._rest[size:])
        return taken
