"""Exchanges out of a HAR file: one of ours, or one that a browser has saved."""

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

from addon.recordings.codecs.har_format import Content, Entry, Har, HarRequest, Header
from addon.recordings.library import RecordingError
from addon.recordings.recorded_exchange import LeftOut, RecordedExchange
from cache.http.fields import TOKEN, is_strong
from cache.http.messages import Fields, Received, Request, Response
from cache.rules.key import request_for

MAX_FILE = 1 << 30
"""Octets of a HAR file, which is read in one piece; a WARC may be of any size."""


def exchanges_in(file: Path) -> Iterator[RecordedExchange | LeftOut]:
    """Iterate over what a HAR file holds. Raises RecordingError, naming the place that is wrong."""
    if (size := file.stat().st_size) > MAX_FILE:
        raise RecordingError(f"{file}: {size} octets, expected a HAR of at most {MAX_FILE}: a WARC may be larger")
    try:
        har = msgspec.json.decode(file.read_bytes(), type=Har)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(f"{file}: expected a HAR: {error}") from None
    for number, entry in enumerate(har.log.entries):
        place = f"{file}: $.log.entries[{number}]"
        if not entry.request.url.startswith(("http://", "https://")):
            yield LeftOut(place, f"{entry.request.url[:40]} is no HTTP URL")
        elif not entry.response.status:
            yield LeftOut(place, f"{entry.request.url} was not answered")
        else:
            yield _exchange(entry, place)


def _exchange(entry: Entry, place: str) -> RecordedExchange:
    try:
        began, ended = _times(entry)
        octets, is_uncoded = _octets(entry.response.content)
        request = request_for(entry.request.url, _fields(entry.request.headers, place))
    except ValueError as error:
        raise RecordingError(f"{place}: {error}") from None
    said = entry.response
    head = Response(said.status, _latin(said.statusText), _fields(said.headers, place), _version(said.httpVersion))
    if is_uncoded and "content-encoding" in head.fields:
        head = replace(head, fields=without_coding(head.fields))
    received = Received(head, began, ended)
    fields = request.fields.without(["host"])
    asked: Request = replace(request, method=entry.request.method, fields=fields, content_digest=_digest(entry.request))
    return RecordedExchange(place, asked, received, lambda: iter([octets]), scrubbed=entry.scrubbed)


def _times(entry: Entry) -> tuple[float, float]:
    """Return when it was asked and answered (seconds since the epoch). Raises ValueError."""
    try:
        began = datetime.fromisoformat(entry.startedDateTime).timestamp()
        ended = began + max(0.0, entry.time) / 1000
        datetime.fromtimestamp(ended, UTC)
    except OverflowError:
        raise ValueError(f"{entry.startedDateTime} and {entry.time} ms are no time") from None
    return began, ended


def _digest(request: HarRequest) -> str:
    """Return the SHA-256 of what a POST sent, or nothing where that is not known."""
    if request.content_digest is not UNSET:
        return request.content_digest
    if request.method != "POST" or request.postData is UNSET or request.postData.text is None:
        return ""
    return sha256(request.postData.text.encode(errors="surrogatepass")).hexdigest()


def _octets(content: Content) -> tuple[bytes, bool]:
    """Return the content, and whether a coding that the fields speak of has been taken off. Raises ValueError."""
    try:
        if content.octets is not UNSET:
            return b64decode(content.octets, validate=True), False
        if content.encoding == "base64":
            return b64decode(content.text or "", validate=True), True
    except binascii.Error as error:
        raise ValueError(f"content: expected base64: {error}") from None
    if content.encoding:
        raise ValueError(f'content.encoding: found "{content.encoding}", expected base64')
    return (content.text or "").encode(errors="surrogatepass"), True


def without_coding(fields: Fields) -> Fields:
    """Return the fields of the same representation without its coding: what named its octets is gone."""
    # RFC 9110 §8.8.3.3: another coding has another strong entity tag
    names = {"content-encoding", "content-length", "content-digest", "repr-digest", "digest", "content-md5"}
    return fields.without(names | ({"etag"} if is_strong(fields.get("etag") or "") else set()))


def _fields(headers: list[Header], place: str) -> Fields:
    lines = []
    for header in headers:
        if header.name.startswith(":"):  # HTTP/2 has them, browsers list them
            continue
        if not TOKEN.fullmatch(header.name):
            raise RecordingError(f'{place}: expected the name of a field, found "{header.name[:40]}"')
        # browsers put several lines of one name into one value
        lines += [(header.name, _latin(value)) for value in header.value.split("\n")]
    return Fields(tuple(lines))


def _latin(text: str) -> str:
    """Return text in the form that field values have here: a character for each octet."""
    return text if all(character <= "\xff" for character in text) else text.encode(errors="replace").decode("latin-1")


def _version(said: str) -> str:
    return said if said in ("HTTP/1.0", "HTTP/1.1") else "HTTP/1.1"
