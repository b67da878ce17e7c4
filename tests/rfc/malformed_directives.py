"""Malformed members of Cache-Control, of targeted fields and of Pragma: they restrict, and permit nothing."""

from tests.lanes.script import Conversation, answer, ask, conversation, counts, later, origin
from tests.rfc.common_steps import FRESH_60, MISS, STORED, VALIDATED, hit, not_stored

TARGETED = {"cache": {"targeted_fields": ["CDN-Cache-Control"]}}


def _validated(title: str, *fields: str) -> Conversation:
    return conversation(
        title,
        "PARSE-25",
        ask("GET /a"),
        origin("200 OK", *fields, 'ETag: "1"', body="hello"),
        answer("200", STORED, body="hello"),
        ask("GET /a"),
        origin("304 Not Modified", 'ETag: "1"', saw='If-None-Match: "1"'),
        answer("203", "Cache-Status: secondhand; fwd=...", body="hello"),
    )


def _goes_to_the_origin(title: str, field: str) -> Conversation:
    return conversation(
        title,
        "PARSE-25",
        ask("GET /a"),
        origin("200 OK", FRESH_60, 'ETag: "1"', body="hello"),
        answer("200", STORED, body="hello"),
        ask("GET /a", field),
        origin("304 Not Modified", 'ETag: "1"', saw='If-None-Match: "1"'),
        answer("203", "Cache-Status: secondhand; fwd=request...", body="hello"),
    )


CONVERSATIONS = [
    not_stored("no-store; x: not stored", "PARSE-25", "Cache-Control: max-age=60, no-store; foo", why="no-store"),
    not_stored("no-store after a semicolon: not stored", "PARSE-25", "Cache-Control: max-age=60; no-store"),
    not_stored("private x: not stored", "PARSE-25", "Cache-Control: max-age=60, private foo", why="private"),
    not_stored("private in a row without commas: not stored", "PARSE-25", "Cache-Control: public max-age=60 private"),
    not_stored(
        "private with text that names no field: not stored", "PARSE-25", 'Cache-Control: max-age=60, private="a; b"'
    ),
    not_stored(
        "no-store behind a quotation mark without end: not stored",
        "PARSE-25",
        'Cache-Control: max-age=60, x="a, no-store',
    ),
    not_stored(
        "must-understand; x does not override no-store",
        "PARSE-25",
        "Cache-Control: must-understand; x, no-store, max-age=60",
    ),
    _validated("no-cache; x: validated before each use", "Cache-Control: max-age=60, no-cache; foo"),
    _validated("max-age=60; x is no lifetime", "Cache-Control: max-age=60; foo"),
    _validated("s-maxage=60 x is no lifetime", "Cache-Control: max-age=60, s-maxage=60 foo"),
    conversation(
        "must-revalidate; x: not used stale when the origin fails",
        "PARSE-25",
        ask("GET /a"),
        origin("200 OK", "Cache-Control: max-age=60, stale-if-error=600, must-revalidate; foo", body="hello"),
        answer("200", STORED, body="hello"),
        later(61),
        ask("GET /a"),
        origin("500 Internal Server Error"),
        answer("500"),
    ),
    conversation(
        "stale-if-error=600; x: not used stale when the origin fails",
        "PARSE-25",
        ask("GET /a"),
        origin("200 OK", "Cache-Control: max-age=60, stale-if-error=600; foo", body="hello"),
        answer("200", STORED, body="hello"),
        later(61),
        ask("GET /a"),
        origin("500 Internal Server Error"),
        answer("500"),
    ),
    *(
        not_stored(
            f"{control}: not stored for others if the request has Authorization",
            "PARSE-25",
            f"Cache-Control: max-age=60, {control}",
            request=("Authorization: Basic YTpi",),
        )
        for control in ("public; foo", "s-maxage=60; foo", "must-revalidate foo")
    ),
    *(
        conversation(
            f"an invalid targeted field says {control}: not stored, whatever Cache-Control says",
            "PARSE-25",
            "TARGET-06",
            ask("GET /a"),
            origin("200 OK", f"CDN-Cache-Control: {control}", FRESH_60, body="first"),
            answer("200", MISS, body="first"),
            ask("GET /a"),
            origin("200 OK", f"CDN-Cache-Control: {control}", FRESH_60, body="second"),
            answer("200", MISS, body="second"),
            settings=TARGETED,
        )
        for control in ("max-age=60, no-store foo", "No-Store", "private=1, max-age=60")
    ),
    conversation(
        "a parameter of no-store in a targeted field is ignored, and no-store counts",
        "TARGET-08",
        ask("GET /a"),
        origin("200 OK", "CDN-Cache-Control: max-age=60, no-store; foo", FRESH_60),
        answer("200", MISS),
        counts("not_stored.no-store"),
        settings=TARGETED,
    ),
    _goes_to_the_origin("a request with no-cache; x is forwarded", "Cache-Control: no-cache; foo"),
    _goes_to_the_origin("a request with max-age=60; x is forwarded", "Cache-Control: max-age=60; foo"),
    _goes_to_the_origin("a request with Pragma: no-cache; x is forwarded", "Pragma: no-cache; foo"),
    conversation(
        "a request with no-store; x: its response is not stored",
        "PARSE-25",
        ask("GET /a", "Cache-Control: no-store; foo"),
        origin("200 OK", FRESH_60),
        answer("200", "Cache-Status: secondhand; fwd=request; detail=request-no-store"),
    ),
    conversation(
        "a request with max-stale; x gets no stale response",
        "PARSE-25",
        ask("GET /a"),
        origin("200 OK", FRESH_60, 'ETag: "1"', body="hello"),
        answer("200", STORED, body="hello"),
        later(61),
        ask("GET /a", "Cache-Control: max-stale; foo"),
        origin("304 Not Modified", 'ETag: "1"', saw='If-None-Match: "1"'),
        answer("203", VALIDATED, body="hello"),
    ),
    conversation(
        "a member that only looks like a directive restricts nothing",
        "PARSE-25",
        "STORE-28",
        ask("GET /a"),
        origin("200 OK", 'Cache-Control: max-age=60, x="no-store, private", see=http://x/private, no-storesX; y'),
        answer("200", STORED),
        ask("GET /a"),
        answer("203", hit(60)),
    ),
]
