"""Import of exchanges from a HAR file, written by this program or by a browser."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import UNSET

from addon.recordings.codecs.har_format import Har, HarContent, HarEntry, HarHeader, HarRequest
from addon.recordings.library import RecordingError
from addon.recordings.recorded_exchange import RecordedExchange, SkippedExchange
from cache.http.fields import TOKEN, is_strong
from cache.http.messages import Fields, Received, Request, Response
from cache.rules.key import request_for

MAX_FILE = 1 << 30
"""Maximum length in bytes of a HAR file, which is read as a whole."""


def read_exchanges(file: Path) -> Iterator[RecordedExchange | SkippedExchange]:
    """Iterate over the exchanges in a HAR file. Raises RecordingError with the position in the file."""
    if (size := file.stat().st_size) > MAX_FILE:
        raise RecordingError(f"{file}: {size} bytes, expected a HAR of at most {MAX_FILE} bytes: a WARC may be larger")
    try:
        har = msgspec.json.decode(file.read_bytes(), type=Har)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(f"{file}: expected a HAR: {error}") from None
    for number, entry in enumerate(har.log.entries):
        source = f"{file}: $.log.entries[{number}]"
        if not entry.request.url.startswith(("http://", "https://")):
            yield SkippedExchange(source, f"{entry.request.url[:40]} is not an HTTP URL")
        elif not entry.response.status:
            yield SkippedExchange(source, f"{entry.request.url} has no response")
        else:
            yield _exchange(entry, source)


def _exchange(entry: HarEntry, source: str) -> RecordedExchange:
    try:
        request_time, response_time = _times(entry)
        content, is_decoded = _content(entry.response.content)
        request: Request = request_for(entry.request.url, _fields(entry.request.headers, source).without(["host"]))
    except ValueError as error:
        raise RecordingError(f"{source}: {error}") from None
    request = replace(request, method=entry.request.method, content_digest=_content_digest(entry.request))
    response = entry.response
    fields, http_version = _fields(response.headers, source), _http_version(response.httpVersion)
    if is_decoded and "content-encoding" in fields:
        fields = _without_coding(fields)
    head = Response(response.status, _latin_1(response.statusText), fields, http_version)
    received = Received(head, request_time, response_time)
    return RecordedExchange(source, request, received, lambda: iter([content]), scrubbed=entry.scrubbed)


def _times(entry: HarEntry) -> tuple[float, float]:
    """Return the times of request and response in seconds since the epoch. Raises ValueError."""
    try:
        request_time = datetime.fromisoformat(entry.startedDateTime).timestamp()
        response_time = request_time + max(0.0, entry.time) / 1000
        datetime.fromtimestamp(response_time, UTC)
    except OverflowError:
        raise ValueError(f"{entry.startedDateTime} plus {entry.time} ms is not a valid time") from None
    return request_time, response_time


def _content_digest(request: HarRequest) -> str:
    """Return the SHA-256 of the content of a request, unless it is GET or HEAD; empty if that is not known."""
    if request.content_digest is not UNSET:
        return request.content_digest
    if request.method in ("GET", "HEAD") or request.postData is UNSET or request.postData.text is None:
        return ""
    return sha256(request.postData.text.encode(errors="surrogatepass")).hexdigest()


def _content(content: HarContent) -> tuple[bytes, bool]:
    """Return the content, and whether its content coding was removed. Raises ValueError."""
    try:
        if content.original is not UNSET:
            return b64decode(content.original, validate=True), False
        if content.encoding == "base64":
            return b64decode(content.text or "", validate=True), True
    except binascii.Error as error:
        raise ValueError(f"content: expected base64: {error}") from None
    if content.encoding:
        raise ValueError(f'content.encoding: found "{content.encoding}", expected base64')
    return (content.text or "").encode(errors="surrogatepass"), True


def _without_coding(fields: Fields) -> Fields:
    """Return the fields for decoded content: without the coding, and without length, digests and strong ETag."""
    # RFC 9110 §8.8.3.3: with another content coding, a strong entity tag is another one
    names = {"content-encoding", "content-length", "content-digest", "repr-digest", "digest", "content-md5"}
    return fields.without(names | ({"etag"} if is_strong(fields.get("etag") or "") else set()))


def _fields(headers: list[HarHeader], source: str) -> Fields:
    lines = []
    for header in headers:
        if header.name.startswith(":"):  # a pseudo-header of HTTP/2, which browsers list too
            continue
        if not TOKEN.fullmatch(header.name):
            raise RecordingError(f'{source}: expected a field name, found "{header.name[:40]}"')
        # browsers join several field lines of one name with line feeds
        lines += [(header.name, _latin_1(value)) for value in header.value.split("\n")]
    return Fields(tuple(lines))


def _latin_1(text: str) -> str:
    """Return text with one character for each byte, like all field values here; other characters become UTF-8."""
    return text if all(character <= "\xff" for character in text) else text.encode(errors="replace").decode("latin-1")


def _http_version(version: str) -> str:
    return version if version in ("HTTP/1.0", "HTTP/1.1") else "HTTP/1.1"
