"""Classes of Accept-Encoding, as an edge compares and forwards them (RFC 9110 §12.5.3)."""

from typing import Any

from tests.lanes.script import Conversation, Step, answer, ask, conversation, later, origin
from tests.rfc.common_steps import FRESH_60, REPLACED, STORED, VALIDATED, hit

CLASSES: dict[str, Any] = {"codings": {"accept_encoding": "classes"}}
VARY = "Vary: Accept-Encoding"
GZIP = "Content-Encoding: gzip"
TAG = 'ETag: "1"'
VARY_MISS = "Cache-Status: secondhand; fwd=vary-miss; stored"


def _fetched(accept: str, saw: str, *fields: str, body: str, first: bool = True) -> tuple[Step, ...]:
    return (
        ask("GET /a", f"Accept-Encoding: {accept}"),
        origin("200 OK", FRESH_60, *fields, body=body, saw=f"Accept-Encoding: {saw}"),
        answer("200", STORED if first else VARY_MISS, body=body),
    )


def _served(accept: str, *fields: str, body: str) -> tuple[Step, ...]:
    return ask("GET /a", f"Accept-Encoding: {accept}"), answer("203", hit(60), *fields, body=body)


def _one_copy(first: str, saw: str, second: str, *fields: str) -> Conversation:
    return conversation(
        f"with classes, the copy {fields or 'without coding'} for Accept-Encoding {first} answers {second}",
        "KEY-25",
        *_fetched(first, saw, VARY, *fields, body="one"),
        *_served(second, VARY, *fields, body="one"),
        settings=CLASSES,
    )


def _two_copies(first: str, saw: str, second: str, then_saw: str, *fields: str) -> Conversation:
    return conversation(
        f"with classes, the copy {fields or 'without coding'} for Accept-Encoding {first} does not answer {second}",
        "KEY-25",
        *_fetched(first, saw, VARY, *fields, body="one"),
        *_fetched(second, then_saw, VARY, body="two", first=False),
        *_served(first, VARY, *fields, body="one"),
        *_served(second, VARY, body="two"),
        settings=CLASSES,
    )


CONVERSATIONS = [
    _one_copy("gzip, deflate, br", "br, gzip", "br;q=1.0, gzip;q=0.8, *;q=0.1, identity", GZIP),
    _one_copy("gzip, deflate, br, zstd", "br, zstd, gzip", "gzip", GZIP),
    _one_copy("gzip", "gzip", "br, x-gzip;q=0.1", GZIP),
    _one_copy("gzip, deflate, br", "br, gzip", "gzip;q=0.5"),
    _one_copy("gzip, deflate, br", "br, gzip", "deflate"),
    _one_copy("zstd, br, gzip", "br, zstd, gzip", ""),
    _two_copies("gzip, br", "br, gzip", "gzip;q=0", "identity", GZIP),
    _two_copies("gzip, br", "br, gzip", "br", "br", GZIP),
    _two_copies("gzip, br", "br, gzip", "", "identity", GZIP),
    _two_copies("gzip, br", "br, gzip", "*;q=0, br", "br, identity;q=0"),
    conversation(
        "with classes, what the origin chose for a client without a coding of a class is no choice for others",
        "KEY-25",
        *_fetched("deflate", "identity", VARY, body="plain"),
        *_fetched("gzip", "gzip", VARY, GZIP, body="zip", first=False),
        *_served("deflate", "no Content-Encoding", body="plain"),
        *_served("gzip, br", GZIP, body="zip"),
        settings=CLASSES,
    ),
    conversation(
        "with classes, a request without Accept-Encoding is forwarded as one for identity",
        "KEY-25",
        ask("GET /a"),
        origin("200 OK", FRESH_60, VARY, body="plain", saw="Accept-Encoding: identity"),
        answer("200", STORED, body="plain"),
        *_served("identity", body="plain"),
        settings=CLASSES,
    ),
    conversation(
        "with classes, a compressed copy whose Vary is missing is not for clients that refuse its coding",
        "KEY-25",
        *_fetched("gzip, br", "br, gzip", GZIP, body="zip"),
        *_fetched("identity", "identity", body="plain", first=False),
        *_served("gzip", GZIP, body="zip"),
        *_served("identity", "no Content-Encoding", body="plain"),
        *_served("br", "no Content-Encoding", body="plain"),
        settings=CLASSES,
    ),
    conversation(
        "with classes, a 304 to a client with fewer codings does not close the copy to others",
        "KEY-25",
        ask("GET /a", "Accept-Encoding: gzip, br"),
        origin("200 OK", "Cache-Control: max-age=1", VARY, TAG, body="one", saw="Accept-Encoding: br, gzip"),
        answer("200", STORED, body="one"),
        later(1),
        ask("GET /a", "Accept-Encoding: gzip"),
        origin("304 Not Modified", FRESH_60, VARY, TAG, saw=("Accept-Encoding: gzip", 'If-None-Match: "1"')),
        answer("203", VALIDATED, body="one"),
        *_served("br, gzip", body="one"),
        settings=CLASSES,
    ),
    conversation(
        "with classes, the coding that the origin chooses anew takes the place of the stale copy",
        "KEY-25",
        ask("GET /a", "Accept-Encoding: gzip"),
        origin("200 OK", "Cache-Control: max-age=1", VARY, TAG, GZIP, body="zip"),
        answer("200", STORED, body="zip"),
        later(1),
        ask("GET /a", "Accept-Encoding: gzip, br"),
        origin("200 OK", FRESH_60, VARY, "Content-Encoding: br", body="brotli", saw='If-None-Match: "1"'),
        answer("200", REPLACED, body="brotli"),
        *_fetched("gzip", "gzip", VARY, GZIP, body="zip", first=False),
        settings=CLASSES,
    ),
    conversation(
        "a request that bypasses the cache is forwarded with the class too",
        "KEY-25",
        ask("POST /a", "Accept-Encoding: deflate, gzip", body="x"),
        origin("200 OK", body="done", saw="Accept-Encoding: gzip"),
        answer("200", body="done"),
        settings=CLASSES,
    ),
]
