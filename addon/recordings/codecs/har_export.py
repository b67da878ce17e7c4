"""Export of a recording to HAR 1.2, for browser devtools. An import gives back the same bytes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from typing import BinaryIO
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import UNSET

from addon.pipeline.content_codings import CodingError, decode_content
from addon.recordings.codecs.har_format import (
    HAR_VERSION,
    HarContent,
    HarCreator,
    HarEntry,
    HarHeader,
    HarRequest,
    HarResponse,
    HarTimings,
    is_text,
)
from addon.recordings.recorded_exchange import RecordedExchange, whole_content
from cache.http.messages import Fields

MAX_DECODED = 67_108_864
"""Maximum length in bytes of decoded content; longer content is written with its content coding."""


COMMENT = "Recordings have no WebSockets, no cookies, and of each request only what selects its response."


def export(exchanges: Iterable[RecordedExchange], file: BinaryIO) -> None:
    """Write exchanges, only one of them in memory at a time. Raises RecordingError, StoreError and OSError."""
    creator = msgspec.json.encode(HarCreator("secondhand", version("secondhand")))
    comment = msgspec.json.encode(COMMENT)
    beginning = b'{"log":{"version":"%b","creator":%b,"comment":%b,"entries":['
    file.write(beginning % (HAR_VERSION.encode(), creator, comment))
    separator = b"\n"
    for exchange in exchanges:
        file.write(separator + msgspec.json.encode(_entry(exchange)))
        separator = b",\n"
    file.write(b"\n]}}\n")


def _entry(exchange: RecordedExchange) -> HarEntry:
    request, received = exchange.request, exchange.received
    head, content = received.head, whole_content(exchange)
    wait = max(0.0, received.response_time - received.request_time) * 1000
    host = ("Host", request.authority)
    query = parse_qsl(urlsplit(request.target).query, keep_blank_values=True)
    return HarEntry(
        startedDateTime=datetime.fromtimestamp(received.request_time, UTC).isoformat(timespec="microseconds"),
        time=wait,
        request=HarRequest(
            method=request.method,
            url=request.uri,
            httpVersion=request.version,
            headers=_headers(request.fields.appending(host)),
            queryString=[HarHeader(name, value) for name, value in query],
            bodySize=-1 if request.content_digest else 0,
            content_digest=request.content_digest or UNSET,
        ),
        response=HarResponse(
            status=head.status,
            statusText=head.reason,
            httpVersion=head.version,
            headers=_headers(head.fields),
            content=_har_content(head.fields, content),
            redirectURL=head.fields.get("location") or "",
            bodySize=len(content),
        ),
        timings=HarTimings(wait=wait),
        scrubbed=exchange.scrubbed,
    )


def _headers(fields: Fields) -> list[HarHeader]:
    return [HarHeader(name, value) for name, value in fields]


def _har_content(fields: Fields, content: bytes) -> HarContent:
    content_type = fields.get("content-type") or ""
    codings = fields.get("content-encoding")
    decoded = content
    if codings is not None:
        with suppress(CodingError):  # content that cannot be decoded is written as it is
            decoded = decode_content(content, codings, MAX_DECODED)
    result = HarContent(size=len(decoded), mimeType=content_type)
    if codings is not None:
        result.original = b64encode(content).decode()
    try:
        text = decoded.decode() if is_text(content_type) else None
    except UnicodeDecodeError:
        text = None
    if text is not None:
        result.text = text
    else:
        result.text, result.encoding = b64encode(decoded).decode(), "base64"
    return result
