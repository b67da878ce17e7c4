"""Exchanges out of a WARC file, compressed or not, by whichever program wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataException, ChunkedDataReader, DecompressingBufferedReader
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord, ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeadersParser

from addon.recordings.codecs.warc_export import REQUEST_CONTENT, SCRUBBED
from addon.recordings.library import RecordingError
from addon.recordings.recorded_exchange import CHUNK, LeftOut, RecordedExchange
from cache.http.fields import TOKEN
from cache.http.messages import Fields, Received, Request, Response
from cache.rules.key import request_for

MAX_LINE = 65_536
"""Octets of a line of a head: a compressed file may claim one without end."""

MAX_RECORDS = 2_000_000
"""Records of a file."""


class _Heads(StatusAndHeadersParser):  # type: ignore[misc] # warcio has no types
    """Reads heads of HTTP with a character for each octet; warcio would guess a character set."""

    @staticmethod
    def decode_header(line: bytes) -> str:
        """Return a line."""
        return line.decode("latin-1")


class _Reader(DecompressingBufferedReader):  # type: ignore[misc] # warcio has no types
    """Reads lines of a sane length only."""

    def readline(self, length: int = 0) -> bytes:
        """Return a line. Raises RecordingError where it is too long."""
        line: bytes = super().readline(min(length or MAX_LINE + 1, MAX_LINE + 1))
        if len(line) > MAX_LINE:
            raise RecordingError(f"a line of more than {MAX_LINE} octets in a head")
        return line


def exchanges_in(file: Path) -> Iterator[RecordedExchange | LeftOut]:
    """Iterate over what a WARC file holds. Raises RecordingError, naming the record that is wrong.

    A content can be read until the next exchange is asked for, and only once.
    """
    asked = dict(_requests(file))
    for place, record in _records(file):
        match record.rec_type:
            case "response" if record.http_headers is not None:
                yield _exchange(record, place, asked)
            case "response" | "resource" | "revisit" | "conversion" | "continuation":
                yield LeftOut(place, f"a record of the type {record.rec_type}, which holds no whole HTTP response")


def _records(file: Path) -> Iterator[tuple[str, Any]]:
    """Iterate over the records of a file with their places."""
    place = f"{file}: record 1"
    with file.open("rb") as stream:
        try:
            records = ArchiveIterator(stream, check_digests="raise")
            records.reader = _Reader(stream, block_size=CHUNK)
            kinds = ArcWarcRecordLoader.HTTP_TYPES, ArcWarcRecordLoader.HTTP_VERBS
            records.loader.http_parser, records.loader.http_req_parser = (
                _Heads(kinds[0], verify=True),
                _Heads(kinds[1], verify=True),
            )
            for number, record in enumerate(records, start=1):
                if number > MAX_RECORDS:
                    raise RecordingError(f"more than {MAX_RECORDS} records")
                if record.format != "warc":
                    raise RecordingError("expected WARC, found ARC")
                yield f"{file}: record {number}", record
                place = f"{file}: record {number + 1}"
        except RecordingError as error:
            raise RecordingError(_at(place, str(error))) from None
        except (ArchiveLoadFailed, OSError, ValueError, AttributeError, EOFError) as error:
            raise RecordingError(f"{place}: expected a WARC record: {_sentence(error)}") from None


def _at(place: str, problem: str) -> str:
    return problem if problem.startswith(place.partition(": ")[0]) else f"{place}: {problem}"


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


@dataclass(frozen=True, slots=True)
class _Asked:
    """What led to a response."""

    method: str = "GET"
    fields: Fields = field(default_factory=Fields)
    at: float | None = None
    content_digest: str = ""


def _requests(file: Path) -> Iterator[tuple[str, _Asked]]:
    """Iterate over all requests, by the id of the response that each led to."""
    for place, record in _records(file):
        if record.rec_type == "request" and record.http_headers is not None:
            response = record.rec_headers.get_header("WARC-Concurrent-To")
            method = record.http_headers.protocol
            if response and TOKEN.fullmatch(method):
                digest = _digest(record) if method == "POST" else ""
                yield response, _Asked(method, _fields(record, place), _time(record, place), digest)


def _digest(record: ArcWarcRecord) -> str:
    """Return the SHA-256 of what a request sent, or nothing where it sent nothing."""
    digest, length = sha256(), 0
    while octets := record.raw_stream.read(CHUNK):
        digest.update(octets)
        length += len(octets)
    return digest.hexdigest() if length else ""


def _exchange(record: ArcWarcRecord, place: str, requests: dict[str, _Asked]) -> RecordedExchange:
    uri = record.rec_headers.get_header("WARC-Target-URI") or ""
    received_at = _time(record, place)
    asked = requests.get(record.rec_headers.get_header("WARC-Record-ID"), _Asked())
    digest = record.rec_headers.get_header(REQUEST_CONTENT) or asked.content_digest
    if digest and not re.fullmatch("[0-9a-f]{64}", digest):
        raise RecordingError(f"{place}: expected a SHA-256 in {REQUEST_CONTENT}")
    try:
        request: Request = request_for(uri.strip("<>"), asked.fields.without(["host"]))
        request = replace(request, method=asked.method, content_digest=digest)
        code, _, reason = record.http_headers.statusline.partition(" ")
        fields = _fields(record, place)
        head = Response(int(code), reason, fields.without(["transfer-encoding"]), _version(record))
    except ValueError as error:
        raise RecordingError(f"{place}: {error}") from None
    is_chunked = (fields.get("transfer-encoding") or "").lower() == "chunked"
    stream = ChunkedDataReader(record.raw_stream, raise_exceptions=True) if is_chunked else record.raw_stream

    def content() -> Iterator[bytes]:
        try:
            while octets := stream.read(CHUNK):
                yield octets
            if record.raw_stream.limit:
                raise EOFError(f"the file ends {record.raw_stream.limit} octets before this record does")
        except (ArchiveLoadFailed, ChunkedDataException, EOFError, OSError, ValueError) as error:
            raise RecordingError(f"{place}: {_sentence(error)}") from None

    sent_at = received_at if asked.at is None else min(asked.at, received_at)
    received = Received(head, sent_at, received_at)
    is_scrubbed = record.rec_headers.get_header(SCRUBBED) == "yes"
    return RecordedExchange(place, request, received, content, scrubbed=is_scrubbed)


def _fields(record: ArcWarcRecord, place: str) -> Fields:
    lines: tuple[tuple[str, str], ...] = tuple(record.http_headers.headers)
    for name, _ in lines:
        if not TOKEN.fullmatch(name):
            raise RecordingError(f'{place}: expected the name of a field, found "{name[:40]}"')
    return Fields(lines)


def _version(record: ArcWarcRecord) -> str:
    protocol = record.http_headers.protocol
    return protocol if protocol in ("HTTP/1.0", "HTTP/1.1") else "HTTP/1.1"


def _time(record: ArcWarcRecord, place: str) -> float:
    said = record.rec_headers.get_header("WARC-Date") or ""
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        raise RecordingError(f'{place}: expected a WARC-Date, found "{said[:40]}"') from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
