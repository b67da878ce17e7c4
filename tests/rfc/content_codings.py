"""Variants by content coding, and origins that give several of them one entity tag (RFC 9110 §12.5.3)."""

from tests.lanes.script import Conversation, Step, answer, ask, conversation, later, origin
from tests.rfc.common_steps import FRESH_60, REPLACED, STORED, VALIDATED, hit

VARY = "Vary: Accept-Encoding"
GZIP = "Content-Encoding: gzip"
TAG = 'ETag: "1"'
VARY_MISS = "Cache-Status: secondhand; fwd=vary-miss; stored"
CONFIRMED_VARIANT = "Cache-Status: secondhand; fwd=vary-miss; fwd-status=304"


def _accept(value: str | None) -> tuple[str, ...]:
    return () if value is None else (f"Accept-Encoding: {value}",)


def _stored(first: str | None, *fields: str, body: str) -> tuple[Step, ...]:
    return (
        ask("GET /a", *_accept(first)),
        origin("200 OK", FRESH_60, VARY, TAG, *fields, body=body),
        answer("200", STORED, *fields, body=body),
    )


def _not_offered(first: str | None, second: str | None, *fields: str) -> Conversation:
    """The stored variant is not offered, so that the origin sends another, and both clients keep theirs."""
    return conversation(
        f"a variant {fields or 'without coding'} for Accept-Encoding {first} is not offered for {second}",
        "REVAL-09",
        *_stored(first, *fields, body="one"),
        ask("GET /a", *_accept(second)),
        origin("200 OK", FRESH_60, VARY, TAG, body="two", saw="no If-None-Match"),
        answer("200", VARY_MISS, body="two"),
        ask("GET /a", *_accept(first)),
        answer("203", hit(60), body="one"),
        ask("GET /a", *_accept(second)),
        answer("203", hit(60), body="two"),
    )


def _offered(first: str | None, second: str | None, *fields: str) -> Conversation:
    return conversation(
        f"a variant {fields or 'without coding'} for Accept-Encoding {first} is offered for {second}",
        "REVAL-09",
        *_stored(first, *fields, body="one"),
        ask("GET /a", *_accept(second)),
        origin("304 Not Modified", FRESH_60, VARY, TAG, saw='If-None-Match: "1"'),
        answer("203", CONFIRMED_VARIANT, body="one"),
    )


def _nearly_the_tag(stored: str, received: str, *fields: str) -> Conversation:
    return conversation(
        f"a 304 with {received} confirms the copy with {stored}, and changes none of its fields but Date and Age",
        "F304-03",
        ask("GET /a", "Accept-Encoding: gzip"),
        origin("200 OK", FRESH_60, VARY, f"ETag: {stored}", "X-A: old", *fields, body="hello"),
        answer("200", STORED, body="hello"),
        later(60),
        ask("GET /a", "Accept-Encoding: gzip"),
        origin("304 Not Modified", FRESH_60, f"ETag: {received}", "X-A: new", saw=f"If-None-Match: {stored}"),
        answer("203", VALIDATED, "no Age", "Date: {now}", f"ETag: {stored}", "X-A: old", VARY, body="hello"),
        later(10),
        ask("GET /a", "Accept-Encoding: gzip"),
        answer("203", hit(50), "Age: 10", f"ETag: {stored}", "X-A: old", body="hello"),
    )


CONVERSATIONS = [
    _not_offered("gzip", "gzip;q=0", GZIP),
    _not_offered("gzip", "gzip;q=0.0, *", GZIP),
    _not_offered("gzip", "identity", GZIP),
    _not_offered("gzip", "br", GZIP),
    _not_offered("gzip", "*;q=0", GZIP),
    _not_offered("gzip", "gzip;q=2", GZIP),
    _not_offered("gzip", "", GZIP),
    _not_offered("gzip", None, GZIP),
    _not_offered("gzip, br", "gzip", "Content-Encoding: gzip, br"),
    _offered("gzip", "br, GZIP;q=0.5", GZIP),
    _offered("gzip", "*", GZIP),
    _offered("gzip", "x-gzip", GZIP),
    # without coding: what the origin chose for one that accepts nothing else is no choice for others
    _not_offered("identity", "gzip"),
    _not_offered(None, "gzip"),
    _not_offered("br", "br, gzip"),
    _not_offered("br", "identity;q=0, br"),
    _not_offered("br", "*;q=0, br"),
    _offered("gzip, br", "gzip"),
    _offered("gzip", None),
    _offered("gzip", "br;q=0, identity"),
    conversation(
        "a 304 that adds Accept-Encoding to Vary does not confirm a copy in a coding that the client refuses",
        "F304-12",
        ask("GET /a", "Accept-Encoding: gzip"),
        origin("200 OK", "Cache-Control: max-age=1", TAG, GZIP, body="zip"),
        answer("200", STORED, body="zip"),
        later(1),
        ask("GET /a", "Accept-Encoding: gzip;q=0"),
        origin("304 Not Modified", FRESH_60, VARY, TAG, saw='If-None-Match: "1"'),
        origin("200 OK", FRESH_60, VARY, TAG, body="plain", saw="no If-None-Match"),
        answer("200", REPLACED, "no Content-Encoding", body="plain"),
        ask("GET /a", "Accept-Encoding: gzip;q=0"),
        answer("203", hit(60), "no Content-Encoding", body="plain"),
    ),
    conversation(
        "a 304 that leaves Accept-Encoding out of Vary does not open the copy to clients without that coding",
        "F304-12",
        ask("GET /a", "Accept-Encoding: gzip"),
        origin("200 OK", "Cache-Control: max-age=1", VARY, TAG, GZIP, body="zip"),
        answer("200", STORED, body="zip"),
        later(1),
        ask("GET /a", "Accept-Encoding: gzip"),
        origin("304 Not Modified", FRESH_60, "Vary: Origin", TAG, saw='If-None-Match: "1"'),
        answer("203", VALIDATED, "Vary: Origin, Accept-Encoding", body="zip"),
        ask("GET /a", "Accept-Encoding: gzip;q=0"),
        origin("200 OK", FRESH_60, VARY, TAG, body="plain", saw="no If-None-Match"),
        answer("200", VARY_MISS, body="plain"),
    ),
    conversation(
        "a response to HEAD that adds Accept-Encoding to Vary does not update a copy in a coding that the client refuses",
        "F304-12",
        "HEAD-04",
        ask("GET /a", "Accept-Encoding: gzip"),
        origin("200 OK", "Cache-Control: max-age=1", TAG, GZIP, body="zip"),
        answer("200", STORED, body="zip"),
        later(1),
        ask("HEAD /a", "Accept-Encoding: gzip;q=0"),
        origin("200 OK", FRESH_60, VARY, TAG),
        answer("200"),
        ask("GET /a", "Accept-Encoding: gzip;q=0"),
        origin("200 OK", FRESH_60, VARY, TAG, body="plain", saw='If-None-Match: "1"'),
        answer("200", body="plain"),
    ),
    _nearly_the_tag('W/"1"', '"1"', GZIP),  # nginx with gzip
    _nearly_the_tag('"1-gzip"', '"1"', GZIP),  # Apache with mod_deflate
    _nearly_the_tag('"1"', '"1-gzip"', GZIP),
    conversation(
        "a 304 that nearly has the copy's tag, but another Cache-Control, confirms the copy for this request alone",
        "F304-03",
        ask("GET /a"),
        origin("200 OK", "Cache-Control: max-age=1", 'ETag: W/"1"', body="hello"),
        answer("200", STORED, body="hello"),
        later(1),
        ask("GET /a"),
        origin("304 Not Modified", "Cache-Control: no-cache", 'ETag: "1"', saw='If-None-Match: W/"1"'),
        answer("203", VALIDATED, "Age: 1", body="hello"),
        ask("GET /a"),
        origin("304 Not Modified", "Cache-Control: no-store", 'ETag: "1"', saw='If-None-Match: W/"1"'),
        answer("203", VALIDATED, body="hello"),
        ask("GET /a"),
        origin("200 OK", "Cache-Control: no-store", body="again", saw="no If-None-Match"),
        answer("200", "Cache-Status: secondhand; fwd=uri-miss; detail=no-store", body="again"),
    ),
    conversation(
        "beside a tag of the client, a 304 that nearly has the copy's tag confirms nothing",
        "F304-03",
        ask("GET /a"),
        origin("200 OK", "Cache-Control: max-age=1", 'ETag: W/"1"', body="old"),
        answer("200", STORED, body="old"),
        later(1),
        ask("GET /a", 'If-None-Match: "0"'),
        origin("304 Not Modified", 'ETag: "1"', saw='If-None-Match: W/"1", "0"'),
        origin("200 OK", FRESH_60, 'ETag: W/"1"', body="new", saw="no If-None-Match"),
        answer("200", REPLACED, body="new"),
    ),
]
