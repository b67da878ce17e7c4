"""Copies that the proxy compresses for clients that accept it (RFC 9110 §8.4, §12.5.3)."""

from hashlib import sha256
from typing import Any

from addon.pipeline.content_codings import encode_content
from tests.lanes.script import Conversation, Step, answer, ask, conversation, counts, later, origin, purge
from tests.rfc.common_steps import FRESH_60, REPLACED, STORED, hit

COMPRESSED: dict[str, Any] = {"codings": {"compress": ["br", "gzip"], "min_size": 100}}
AT_AN_EDGE: dict[str, Any] = {"codings": {**COMPRESSED["codings"], "accept_encoding": "classes"}}
ENGINE_ALONE = {"engine": "the engine compresses nothing"}

TEXT = "Content-Type: text/html; charset=utf-8"
VARY = "Vary: Accept-Encoding"
PLAIN = "no Content-Encoding"
OLD, NEW = "an old page " * 40, "a new page " * 40


def _coded(body: str, coding: str) -> str:
    return encode_content(body.encode(), coding).decode("latin-1")


def _tag(body: str, coding: str, tag: str = '"1"') -> str:
    digest = sha256(encode_content(body.encode(), coding)).hexdigest()
    return f'{tag[:-1]}-{coding}-{digest[:8]}"'


BR, GZIP = "Content-Encoding: br", "Content-Encoding: gzip"
BR_TAG, GZIP_TAG = _tag(OLD, "br"), _tag(OLD, "gzip")


def _compressed(*fields: str, control: str = FRESH_60, tag: str = 'ETag: "1"') -> tuple[Step, ...]:
    """Steps that store a page, and wait until it is compressed."""
    return (
        ask("GET /a", "Accept-Encoding: gzip, br"),
        origin("200 OK", control, TEXT, tag, *fields, body=OLD),
        answer("200", STORED, PLAIN, tag, body=OLD),
        counts("compressed", 2),
    )


def _played(title: str, row: str, *steps: Step, settings: dict[str, Any] = COMPRESSED) -> Conversation:
    return conversation(title, row, *steps, settings=settings, unsupported=ENGINE_ALONE)


def _left_alone(why: str, *fields: str, request: tuple[str, ...] = (), body: str = OLD) -> Conversation:
    kind = () if any(field.startswith("Content-Type") for field in fields) else (TEXT,)
    control = () if any(field.startswith(("Cache-Control", "Last-")) for field in fields) else (FRESH_60,)
    return _played(
        f"a copy is not compressed for the reason {why}: {', '.join((*fields, *request)) or len(body)}",
        "CODE-05",
        ask("GET /a", "Accept-Encoding: gzip, br", *request),
        origin("200 OK", *control, *kind, *fields, body=body),
        answer("200", body=body),
        counts(f"not_compressed.{why}"),
        counts("compressed", 0),
    )


CONVERSATIONS = [
    _played(
        "each client gets the first coding in the settings that it accepts, or the content as it is",
        "CODE-01",
        *_compressed(),
        ask("GET /a", "Accept-Encoding: gzip, deflate, br"),
        answer("203", hit(60), BR, VARY, f"ETag: {BR_TAG}", TEXT, "Accept-Ranges: bytes", body=_coded(OLD, "br")),
        ask("GET /a", "Accept-Encoding: gzip"),
        answer("203", hit(60), GZIP, VARY, f"ETag: {GZIP_TAG}", body=_coded(OLD, "gzip")),
        ask("GET /a", "Accept-Encoding: *;q=0.1, br;q=0"),
        answer("203", hit(60), GZIP, VARY, body=_coded(OLD, "gzip")),
        ask("GET /a", "Accept-Encoding: br;q=0, gzip;q=0"),
        answer("203", hit(60), PLAIN, VARY, 'ETag: "1"', body=OLD),
        ask("GET /a"),
        answer("203", hit(60), PLAIN, VARY, 'ETag: "1"', body=OLD),
    ),
    _played(
        "at an edge, a compressed copy answers classes of clients",
        "CODE-01",
        *_compressed(),
        ask("GET /a", "Accept-Encoding: gzip;q=1, deflate, br;q=0.1, zstd"),
        answer("203", hit(60), BR, VARY, body=_coded(OLD, "br")),
        ask("GET /a", "Accept-Encoding: x-gzip"),
        answer("203", hit(60), GZIP, VARY, body=_coded(OLD, "gzip")),
        ask("GET /a", "Accept-Encoding: deflate"),
        answer("203", hit(60), PLAIN, VARY, body=OLD),
        settings=AT_AN_EDGE,
    ),
    _played(
        "a response to HEAD has the fields of the response to GET",
        "CODE-01",
        *_compressed(),
        ask("HEAD /a", "Accept-Encoding: br"),
        answer("203", BR, VARY, f"ETag: {BR_TAG}", f"Content-Length: {len(_coded(OLD, 'br'))}", "Accept-Ranges: bytes"),
        ask("HEAD /a"),
        answer("203", PLAIN, VARY, 'ETag: "1"', f"Content-Length: {len(OLD)}"),
    ),
    _played(
        "a client that says no-transform gets the content as it is",
        "CODE-01",
        *_compressed(),
        ask("GET /a", "Accept-Encoding: br", "Cache-Control: no-transform"),
        answer("203", PLAIN, body=OLD),
    ),
    _played(
        "the Vary of the origin is kept, and the variant is compressed",
        "CODE-01",
        ask("GET /a", "Accept-Encoding: gzip, br", "A: 1"),
        origin("200 OK", FRESH_60, TEXT, "Vary: A, Accept-Encoding", body=OLD),
        answer("200", body=OLD),
        counts("compressed", 2),
        ask("GET /a", "Accept-Encoding: br, gzip;q=0.5", "A: 1"),
        answer("203", BR, "Vary: A, Accept-Encoding", "no ETag", body=_coded(OLD, "br")),
        settings=AT_AN_EDGE,
    ),
    _played(
        "the entity tag of a compressed copy, or of its response, gets a 304",
        "CODE-02",
        *_compressed(),
        ask("GET /a", "Accept-Encoding: gzip, br", f"If-None-Match: {BR_TAG}"),
        answer("304", VARY, f"ETag: {BR_TAG}", body=""),
        ask("GET /a", "Accept-Encoding: gzip, br", f'If-None-Match: "0", W/{GZIP_TAG}'),
        answer("304", VARY, f"ETag: {GZIP_TAG}", body=""),
        ask("GET /a", "Accept-Encoding: gzip, br", 'If-None-Match: "1"'),
        answer("304", VARY, 'ETag: "1"', body=""),
        ask("GET /a", "Accept-Encoding: gzip", f"If-None-Match: {BR_TAG}"),
        answer("203", GZIP, body=_coded(OLD, "gzip")),
        ask("GET /a", f"If-None-Match: {BR_TAG}"),
        answer("203", PLAIN, body=OLD),
    ),
    _played(
        "a compressed copy is validated by the origin's own entity tag",
        "CODE-03",
        *_compressed(control="Cache-Control: max-age=1"),
        later(1),
        ask("GET /a", "Accept-Encoding: br", f"If-None-Match: {BR_TAG}"),
        origin("304 Not Modified", FRESH_60, 'ETag: "1"', saw='If-None-Match: "1"'),
        answer("304", f"ETag: {BR_TAG}", body=""),
        ask("GET /a", "Accept-Encoding: gzip"),
        answer("203", hit(60), GZIP, body=_coded(OLD, "gzip")),
        ask("GET /a"),
        answer("203", hit(60), PLAIN, body=OLD),
    ),
    _played(
        "a compressed copy that the origin has confirmed is sent as 203",
        "CODE-03",
        *_compressed(control="Cache-Control: no-cache"),
        ask("GET /a", "Accept-Encoding: br"),
        origin("304 Not Modified", 'ETag: "1"', saw='If-None-Match: "1"'),
        answer(
            "203", "Cache-Status: secondhand; fwd=stale; fwd-status=304; detail=no-cache", BR, body=_coded(OLD, "br")
        ),
    ),
    _played(
        "a weak entity tag stays weak",
        "CODE-02",
        *_compressed(tag='ETag: W/"1"'),
        ask("GET /a", "Accept-Encoding: br"),
        answer("203", f"ETag: {_tag(OLD, 'br', 'W/"1"')}", body=_coded(OLD, "br")),
    ),
    _played(
        "compressed copies end with their response",
        "CODE-04",
        *_compressed(control="Cache-Control: max-age=1"),
        later(1),
        ask("GET /a", "Accept-Encoding: br"),
        origin("200 OK", FRESH_60, TEXT, 'ETag: "2"', body=NEW, saw='If-None-Match: "1"'),
        answer("200", REPLACED, PLAIN, 'ETag: "2"', body=NEW),
        counts("compressed", 4),
        ask("GET /a", "Accept-Encoding: br"),
        answer("203", hit(60), BR, f"ETag: {_tag(NEW, 'br', '"2"')}", body=_coded(NEW, "br")),
        ask("GET /a", "Accept-Encoding: gzip"),
        answer("203", hit(60), GZIP, body=_coded(NEW, "gzip")),
    ),
    _played(
        "a purge deletes compressed copies too",
        "CODE-04",
        *_compressed(),
        purge("/a"),
        ask("GET /a", "Accept-Encoding: br", f"If-None-Match: {BR_TAG}"),
        origin("200 OK", FRESH_60, TEXT, 'ETag: "1"', body=NEW),
        answer("200", STORED, PLAIN, body=NEW),
    ),
    _played(
        "a POST invalidates compressed copies too, and a 404 deletes them",
        "CODE-04",
        *_compressed(),
        ask("POST /a", body="x"),
        origin("204 No Content"),
        answer("204"),
        ask("GET /a", "Accept-Encoding: br"),
        origin("404 Not Found", "Cache-Control: no-store", saw='If-None-Match: "1"'),
        answer("404"),
        ask("GET /a", "Accept-Encoding: gzip"),
        origin("200 OK", "Cache-Control: no-store", body=NEW, saw="no If-None-Match"),
        answer("200", "Cache-Status: secondhand; fwd=uri-miss; detail=no-store", body=NEW),
    ),
    _played(
        "a range is one of the response itself, unless If-Range names a compressed copy",
        "CODE-02",
        *_compressed(),
        ask("GET /a", "Accept-Encoding: br", "Range: bytes=0-7"),
        answer("206", PLAIN, 'ETag: "1"', f"Content-Range: bytes 0-7/{len(OLD)}", body=OLD[:8]),
        ask("GET /a", "Accept-Encoding: br", "Range: bytes=0-7", f"If-Range: {BR_TAG}"),
        answer("206", f"Content-Range: bytes 0-7/{len(_coded(OLD, 'br'))}", body=_coded(OLD, "br")[:8]),
        ask("GET /a", "Accept-Encoding: gzip", "Range: bytes=0-7", f"If-Range: {BR_TAG}"),
        answer("203", PLAIN, 'ETag: "1"', body=OLD),
    ),
    _played(
        "a client that has a compressed copy and changes the response names the origin's tag in If-Match",
        "CODE-02",
        *_compressed(),
        ask("PUT /a", f'If-Match: {BR_TAG}, "2"', body="x"),
        origin("412 Precondition Failed", "Content-Length: 0", saw='If-Match: "1", "2"'),
        answer("412"),
        ask("GET /a", f"If-Match: {BR_TAG}"),
        origin("200 OK", FRESH_60, TEXT, saw='If-Match: "1"', body=OLD),
        answer("200", body=OLD),
    ),
    _played(
        "a page for everyone is compressed although its request had a cookie",
        "CODE-05",
        ask("GET /a", "Accept-Encoding: gzip, br", "Cookie: a=b"),
        origin("200 OK", FRESH_60, TEXT, body=OLD),
        answer("200", body=OLD),
        counts("compressed", 2),
        ask("GET /a", "Accept-Encoding: br"),
        answer("203", BR, body=_coded(OLD, "br")),
    ),
    _left_alone("no-transform", "Cache-Control: max-age=60, no-transform"),
    _left_alone("coded", "Content-Encoding: gzip"),
    _left_alone("content-type", "Content-Type: image/png"),
    _left_alone("digest", "Content-Digest: sha-256=:AAAA:"),
    _left_alone("digest", "Content-MD5: x"),
    _left_alone("digest", 'Signature-Input: sig=("content-type")'),
    _left_alone("too-small", body="a" * 99),
    _left_alone("personal", 'ETag: "1"', "Cache-Control: no-cache", request=("Cookie: a=b",)),
    _left_alone("personal", "Last-Modified: {now-3600}", request=("Cookie: a=b",)),
]
