"""A recording as HAR 1.2: browser devtools open it, and an import gives the same octets back."""

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

from addon.pipeline.content_codings import CodingError, uncoded
from addon.recordings.codecs.har_format import (
    LATEST,
    Content,
    Creator,
    Entry,
    HarRequest,
    HarResponse,
    Header,
    Timings,
    is_text,
)
from addon.recordings.recorded_exchange import RecordedExchange, whole_content
from cache.http.messages import Fields

MAX_SHOWN = 67_108_864
"""Octets of content that are shown without their coding; what is larger is written as it is."""


def export(exchanges: Iterable[RecordedExchange], file: BinaryIO) -> None:
    """Write exchanges, one after the other, each held in memory for a moment."""
    creator = msgspec.json.encode(Creator("secondhand", version("secondhand")))
    file.write(b'{"log":{"version":"%b","creator":%b,"entries":[' % (LATEST.encode(), creator))
    between = b"\n"
    for exchange in exchanges:
        file.write(between + msgspec.json.encode(_entry(exchange)))
        between = b",\n"
    file.write(b"\n]}}\n")


def _entry(exchange: RecordedExchange) -> Entry:
    request, received = exchange.request, exchange.received
    head, octets = received.head, whole_content(exchange)
    waited = max(0.0, received.response_time - received.request_time) * 1000
    host = ("Host", request.authority)
    return Entry(
        startedDateTime=datetime.fromtimestamp(received.request_time, UTC).isoformat(timespec="microseconds"),
        time=waited,
        request=HarRequest(
            method=request.method,
            url=request.uri,
            httpVersion=request.version,
            headers=_headers(request.fields.appending(host)),
            queryString=[Header(*each) for each in parse_qsl(urlsplit(request.target).query, keep_blank_values=True)],
            bodySize=-1 if request.content_digest else 0,
            content_digest=request.content_digest or UNSET,
        ),
        response=HarResponse(
            status=head.status,
            statusText=head.reason,
            httpVersion=head.version,
            headers=_headers(head.fields),
            content=_content(head.fields, octets),
            redirectURL=head.fields.get("location") or "",
            bodySize=len(octets),
        ),
        timings=Timings(wait=waited),
        scrubbed=exchange.scrubbed,
    )


def _headers(fields: Fields) -> list[Header]:
    return [Header(name, value) for name, value in fields]


def _content(fields: Fields, octets: bytes) -> Content:
    kind = fields.get("content-type") or ""
    coded = fields.get("content-encoding")
    shown = octets
    if coded is not None:
        with suppress(CodingError):  # then it is shown as it is
            shown = uncoded(octets, coded, MAX_SHOWN)
    content = Content(size=len(shown), mimeType=kind)
    if coded is not None:
        content.octets = b64encode(octets).decode()
    try:
        text = shown.decode() if is_text(kind) else None
    except UnicodeDecodeError:
        text = None
    if text is not None:
        content.text = text
    else:
        content.text, content.encoding = b64encode(shown).decode(), "base64"
    return content
