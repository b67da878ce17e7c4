"""Preconditions of clients, evaluated against copies (RFC 9111 §4.3.2)."""

from tests.lanes.script import Conversation, answer, ask, conversation, later, origin
from tests.rfc.common_steps import FRESH_60, STORED, hit


def _precondition(title: str, stored: str, request: str, code: str, *rows: str) -> Conversation:
    """A precondition of the client is evaluated against a fresh copy, without the origin."""
    return conversation(
        title,
        *rows,
        ask("GET /a"),
        origin("200 OK", FRESH_60, *stored.split(" | "), body="hello"),
        answer("200", STORED, body="hello"),
        later(10),
        ask("GET /a", *request.split(" | ")),
        answer(code, hit(50), "Age: 10", body="" if code == "304" else "hello"),
    )


CONVERSATIONS = [
    _precondition(
        "If-None-Match names the copy: 304",
        'ETag: "1"',
        'If-None-Match: "1"',
        "304",
        "STATUS-10",
        "REVAL-20",
        "META-11",
    ),
    _precondition("If-None-Match is compared weakly: 304", 'ETag: W/"1"', 'If-None-Match: "1"', "304", "REVAL-20"),
    _precondition(
        "If-None-Match may list several tags: 304", 'ETag: "1"', 'If-None-Match: "a, b", "2", "1"', "304", "REVAL-21"
    ),
    _precondition("If-None-Match: * matches every copy: 304", 'ETag: "1"', "If-None-Match: *", "304", "REVAL-21"),
    _precondition("If-None-Match has another tag: 203", 'ETag: "1"', 'If-None-Match: "2"', "203", "REVAL-20"),
    _precondition(
        "a tag without quotes does not match one with quotes: 203", 'ETag: "1"', "If-None-Match: 1", "203", "REVAL-23"
    ),
    _precondition("a tag without quotes matches the same tag: 304", "ETag: 1", "If-None-Match: 1", "304", "REVAL-23"),
    _precondition(
        "If-Modified-Since is ignored beside If-None-Match: 203",
        'ETag: "1" | Last-Modified: {now-1000}',
        'If-None-Match: "2" | If-Modified-Since: {now}',
        "203",
        "REVAL-22",
        "REVAL-29",
    ),
    _precondition(
        "Last-Modified is not later than If-Modified-Since: 304",
        "Last-Modified: {now-1000}",
        "If-Modified-Since: {start-1000}",
        "304",
        "REVAL-24",
    ),
    _precondition(
        "Last-Modified is later than If-Modified-Since: 203",
        "Last-Modified: {now-1000}",
        "If-Modified-Since: {start-1001}",
        "203",
        "REVAL-24",
    ),
    _precondition(
        "an invalid If-Modified-Since is ignored: 203",
        "Last-Modified: {now-1000}",
        "If-Modified-Since: lately",
        "203",
        "REVAL-24",
    ),
    _precondition(
        "without Last-Modified, Date is compared with If-Modified-Since: 304",
        'ETag: "1"',
        "If-Modified-Since: {start}",
        "304",
        "REVAL-25",
    ),
    _precondition(
        "without Last-Modified, Date is later than If-Modified-Since: 203",
        'ETag: "1"',
        "If-Modified-Since: {start-1}",
        "203",
        "REVAL-25",
    ),
    conversation(
        "a 304 from a copy has the fields that a cache needs, and none that describe the content",
        "REVAL-27",
        ask("GET /a"),
        origin(
            "200 OK",
            FRESH_60,
            'ETag: "1"',
            "Last-Modified: {now-1000}",
            "Content-Type: text/plain",
            "Content-Location: /b",
            "Expires: {now+60}",
            "Vary: Foo",
            body="hello",
        ),
        answer("200", STORED),
        ask("GET /a", 'If-None-Match: "1"'),
        answer(
            "304 Not Modified",
            FRESH_60,
            'ETag: "1"',
            "Content-Location: /b",
            "Expires: {start+60}",
            "Vary: Foo",
            "Date: {start}",
            "Age: 0",
            hit(60),
            "no Last-Modified",
            "no Content-Type",
            "no Content-Length",
            body="",
        ),
    ),
    conversation(
        "preconditions are ignored if the copy is not a 2xx",
        "REVAL-28",
        ask("GET /a"),
        origin("404 Not Found", FRESH_60, 'ETag: "1"', body="none"),
        answer("404", STORED),
        ask("GET /a", 'If-None-Match: "1"'),
        answer("404", hit(60), body="none"),
    ),
    conversation(
        "If-Match and If-Unmodified-Since are forwarded, and not evaluated here",
        "REVAL-16",
        ask("GET /a"),
        origin("200 OK", FRESH_60, 'ETag: "1"'),
        answer("200", STORED),
        ask("GET /a", 'If-Match: "2"'),
        origin("412 Precondition Failed", saw='If-Match: "2"'),
        answer("412", "Cache-Status: secondhand; fwd=bypass; detail=precondition"),
        ask("GET /a", "If-Unmodified-Since: {now}"),
        origin("200 OK", body="as asked", saw="If-Unmodified-Since: {start}"),
        answer("200", "Cache-Status: secondhand; fwd=bypass; detail=precondition", body="as asked"),
        ask("DELETE /a", 'If-Match: "2"'),
        origin("412 Precondition Failed", saw='If-Match: "2"'),
        answer("412", "Cache-Status: secondhand; fwd=method"),
    ),
    conversation(
        "a precondition is evaluated against a copy that may be sent stale",
        "REVAL-31",
        ask("GET /a"),
        origin("200 OK", "Cache-Control: max-age=1", 'ETag: "1"', body="hello"),
        answer("200", STORED, body="hello"),
        later(1),
        later(10),
        ask("GET /a", 'If-None-Match: "1"', "Cache-Control: max-stale"),
        answer("304", hit(-10, "max-stale"), "Age: 11"),
    ),
]
