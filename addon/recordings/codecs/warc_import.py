"""Import of exchanges from a WARC file of any program, compressed or not."""

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
from warcio.statusandheaders import StatusAndHeadersParser, StatusAndHeadersParserException

from addon.recordings.codecs.warc_export import REQUEST_CONTENT, SCRUBBED
from addon.recordings.library import RecordingError
from addon.recordings.recorded_exchange import CHUNK, RecordedExchange, SkippedExchange
from cache.http.fields import TOKEN
from cache.http.messages import Fields, Received, Request, Response
from cache.rules.key import request_for

MAX_LINE = 65_536
"""Maximum length in bytes of a line in a head: a small compressed file may decompress to an endless line."""

MAX_RECORDS = 2_000_000
"""Maximum number of records in a file."""


_UNREADABLE = (
    *(ArchiveLoadFailed, ChunkedDataException, StatusAndHeadersParserException),
    *(OSError, ValueError, AttributeError, TypeError, EOFError),
)
"""The exceptions that warcio raises for a file that is no WARC, or a damaged one."""


class _HttpHeadParser(StatusAndHeadersParser):  # type: ignore[misc] # warcio has no types
    """A parser of HTTP heads that decodes Latin-1; warcio would guess a character set."""

    @staticmethod
    def decode_header(line: bytes) -> str:
        """Return a line as text."""
        return line.decode("latin-1")


class _LimitedReader(DecompressingBufferedReader):  # type: ignore[misc] # warcio has no types
    """A reader with a limit on the length of lines."""

    def readline(self, length: int = 0) -> bytes:
        """Return a line. Raises RecordingError if it is too long."""
        line: bytes = super().readline(min(length or MAX_LINE + 1, MAX_LINE + 1))
        if len(line) > MAX_LINE:
            raise RecordingError(f"a line of more than {MAX_LINE} bytes in a head")
        return line

    def close_decompressor(self) -> None:
        """End reading. Raises EOFError if the file ends within a compressed record, which warcio takes for its end."""
        if self.decompressor and not self.decompressor.eof:
            raise EOFError("the file ends before the end of this record")
        super().close_decompressor()


def read_exchanges(file: Path) -> Iterator[RecordedExchange | SkippedExchange]:
    """Iterate over the exchanges in a WARC file. Raises RecordingError with the number of the record.

    The content of an exchange can be read only once, and only until the next exchange is taken.
    """
    requests = dict(_requests(file))
    for source, record in _records(file):
        match record.rec_type:
            case "response" if record.http_headers is not None:
                yield _exchange(record, source, requests)
            case "response" | "resource" | "revisit" | "conversion" | "continuation":
                reason = f"this record of type {record.rec_type} contains no complete HTTP response"
                yield SkippedExchange(source, reason)


def _records(file: Path) -> Iterator[tuple[str, Any]]:
    """Iterate over the records of a file, each with its position in the file for error messages."""
    source = f"{file}: record 1"
    with file.open("rb") as stream:
        try:
            records = ArchiveIterator(stream, check_digests="raise")
            records.reader = _LimitedReader(stream, block_size=CHUNK)
            records.loader.http_parser = _HttpHeadParser(ArcWarcRecordLoader.HTTP_TYPES, verify=True)
            records.loader.http_req_parser = _HttpHeadParser(ArcWarcRecordLoader.HTTP_VERBS, verify=True)
            for number, record in enumerate(records, start=1):
                if number > MAX_RECORDS:
                    raise RecordingError(f"more than {MAX_RECORDS} records")
                if record.format != "warc":
                    raise RecordingError("expected WARC, found ARC")
                if record.length is None:
                    raise RecordingError("expected a Content-Length")
                yield source, record
                records.read_to_end(record)
                if missing := record.raw_stream.limit:
                    raise EOFError(f"the file ends {missing} bytes before the end of this record")
                source = f"{file}: record {number + 1}"
        except RecordingError as error:
            raise RecordingError(_with_source(source, str(error))) from None
        except _UNREADABLE as error:
            raise RecordingError(f"{source}: expected a WARC record: {_one_line(error)}") from None


def _with_source(source: str, problem: str) -> str:
    """Return a message that begins with the position in the file, which an error from `_LimitedReader` lacks."""
    return problem if problem.startswith(source.partition(": ")[0]) else f"{source}: {problem}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


@dataclass(frozen=True, slots=True)
class _RequestRecord:
    """The request of a response; the defaults apply to a response without a request record."""

    method: str = "GET"
    fields: Fields = field(default_factory=Fields)
    time: float | None = None
    """Seconds since the epoch."""
    content_digest: str = ""


def _requests(file: Path) -> Iterator[tuple[str, _RequestRecord]]:
    """Iterate over all requests, each with the record id of its response."""
    for source, record in _records(file):
        if record.rec_type == "request" and record.http_headers is not None:
            response_id = record.rec_headers.get_header("WARC-Concurrent-To")
            method = record.http_headers.protocol
            if response_id and TOKEN.fullmatch(method):
                digest = _content_digest(record, source) if method not in ("GET", "HEAD") else ""
                yield response_id, _RequestRecord(method, _fields(record, source), _time(record, source), digest)


def _content_digest(record: ArcWarcRecord, source: str) -> str:
    """Return the SHA-256 of a request's content; empty if it has none. Raises RecordingError."""
    digest, length = sha256(), 0
    try:
        while data := record.raw_stream.read(CHUNK):
            digest.update(data)
            length += len(data)
    except _UNREADABLE as error:
        raise RecordingError(f"{source}: {_one_line(error)}") from None
    return digest.hexdigest() if length else ""


def _exchange(record: ArcWarcRecord, source: str, requests: dict[str, _RequestRecord]) -> RecordedExchange:
    uri = record.rec_headers.get_header("WARC-Target-URI") or ""
    response_time = _time(record, source)
    request_record = requests.get(record.rec_headers.get_header("WARC-Record-ID"), _RequestRecord())
    digest = record.rec_headers.get_header(REQUEST_CONTENT) or request_record.content_digest
    if digest and not re.fullmatch("[0-9a-f]{64}", digest):
        raise RecordingError(f"{source}: expected a SHA-256 in {REQUEST_CONTENT}")
    try:
        request: Request = request_for(uri.strip("<>"), request_record.fields.without(["host"]))
        request = replace(request, method=request_record.method, content_digest=digest)
        code, _, reason = record.http_headers.statusline.partition(" ")
        fields = _fields(record, source)
        head = Response(int(code), reason, fields.without(["transfer-encoding"]), _http_version(record))
    except ValueError as error:
        raise RecordingError(f"{source}: {error}") from None
    is_chunked = (fields.get("transfer-encoding") or "").lower() == "chunked"
    stream = ChunkedDataReader(record.raw_stream, raise_exceptions=True) if is_chunked else record.raw_stream

    def content() -> Iterator[bytes]:
        try:
            while data := stream.read(CHUNK):
                yield data
            if missing := record.raw_stream.limit:
                raise EOFError(f"the file ends {missing} bytes before the end of this record")
        except _UNREADABLE as error:
            raise RecordingError(f"{source}: {_one_line(error)}") from None

    request_time = response_time if request_record.time is None else min(request_record.time, response_time)
    received = Received(head, request_time, response_time)
    is_scrubbed = record.rec_headers.get_header(SCRUBBED) == "yes"
    return RecordedExchange(source, request, received, content, scrubbed=is_scrubbed)


def _fields(record: ArcWarcRecord, source: str) -> Fields:
    lines: tuple[tuple[str, str], ...] = tuple(record.http_headers.headers)
    for name, _ in lines:
        if not TOKEN.fullmatch(name):
            raise RecordingError(f'{source}: expected a field name, found "{name[:40]}"')
    return Fields(lines)


def _http_version(record: ArcWarcRecord) -> str:
    protocol = record.http_headers.protocol
    return protocol if protocol in ("HTTP/1.0", "HTTP/1.1") else "HTTP/1.1"


def _time(record: ArcWarcRecord, source: str) -> float:
    """Return the date of a record in seconds since the epoch. Raises RecordingError."""
    date = record.rec_headers.get_header("WARC-Date") or ""
    try:
        moment = datetime.fromisoformat(date)
    except ValueError:
        raise RecordingError(f'{source}: expected a WARC-Date, found "{date[:40]}"') from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
