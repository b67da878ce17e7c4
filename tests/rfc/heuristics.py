"""Heuristic lifetimes, and lifetimes by a rule for the kind of response (RFC 9111 §4.2.2)."""

from tests.lanes.script import Conversation, answer, ask, conversation, later, origin
from tests.rfc.common_steps import FRESH_60, MISS, STORED, VALIDATED, hit

CODES = {203: 100, 204: 100, 300: 100, 308: 100, 404: 10, 405: 10, 410: 10, 414: 10, 451: 10, 501: 10}
"""Heuristically cacheable status codes, with the lifetime in seconds for a Last-Modified 1000 seconds ago."""

NO_CODES = (201, 202, 302, 303, 307, 400, 401, 403, 406, 411, 415, 500, 502, 503, 504)


def _kind(path: str, ttl: int, *fields: str, status: str = "200", **settings: object) -> Conversation:
    lifetime = f"a lifetime of {ttl} seconds" if ttl else "no lifetime"
    lasts = (
        (ask(f"GET {path}"), answer("203" if status == "200" else status, hit(ttl, "heuristic")), later(ttl))
        if ttl
        else ()
    )
    return conversation(
        f"by its kind, a {status} of {path} with {', '.join(fields) or 'no fields'} gets {lifetime} {settings or ''}",
        "HEUR-03",
        ask(f"GET {path}"),
        origin(status, *fields),
        answer(status, STORED if ttl else MISS),
        *lasts,
        ask(f"GET {path}"),
        origin(status, "Cache-Control: no-store"),
        answer(status),
        settings={"cache": settings},
    )


CONVERSATIONS = [
    *(
        conversation(
            f"a {code} may get a heuristic lifetime",
            "HEUR-02",
            ask("GET /a"),
            origin(str(code), "Last-Modified: {now-1000}"),
            answer(str(code), STORED),
            ask("GET /a"),
            answer(str(code), hit(ttl, "heuristic")),
            later(ttl),
            ask("GET /a"),
            origin("304 Not Modified"),
            answer(str(code), "Cache-Status: secondhand; fwd=stale; fwd-status=304"),
        )
        for code, ttl in CODES.items()
    ),
    *(
        conversation(
            f"a {code} gets no heuristic lifetime",
            "HEUR-02",
            ask("GET /a"),
            origin(str(code), "Last-Modified: {now-1000}"),
            answer(str(code), MISS),
            ask("GET /a"),
            origin(str(code), "Last-Modified: {now-1000}"),
            answer(str(code), MISS),
        )
        for code in NO_CODES
    ),
    conversation(
        "a stored part may get a heuristic lifetime",
        "HEUR-02",
        "RANGE-13",
        ask("GET /a", "Range: bytes=0-1"),
        origin("206", "Last-Modified: {now-1000}", "Content-Range: bytes 0-1/4", body="ab"),
        answer("206", STORED),
        ask("GET /a", "Range: bytes=0-1"),
        answer("206", hit(100, "heuristic"), body="ab"),
    ),
    conversation(
        "an error with public gets a heuristic lifetime of at most ten seconds",
        "HEUR-02",
        "STATUS-51",
        ask("GET /a"),
        origin("400", "Cache-Control: public", "Last-Modified: {now-1000}"),
        answer("400", STORED),
        ask("GET /a"),
        answer("400", hit(10, "heuristic")),
    ),
    conversation(
        "a response with public that is not an error may get a longer heuristic lifetime",
        "HEUR-02",
        "STATUS-54",
        ask("GET /a"),
        origin("399 Odd", "Cache-Control: public", "Last-Modified: {now-1000}"),
        answer("399", STORED),
        ask("GET /a"),
        answer("399", hit(100, "heuristic")),
    ),
    conversation(
        "Pragma beside Cache-Control does not prevent a heuristic lifetime",
        "REQ-09",
        "HEUR-06",
        ask("GET /a"),
        origin("200 OK", "Pragma: no-cache", "Cache-Control: public", "Last-Modified: {now-1000}"),
        answer("200", STORED),
        ask("GET /a"),
        answer("203", hit(100, "heuristic")),
    ),
    conversation(
        "with heuristic_query = false, a URL without a query still gets a heuristic lifetime",
        "HEUR-05",
        ask("GET /a"),
        origin("200 OK", "Last-Modified: {now-1000}"),
        answer("200", STORED),
        ask("GET /a"),
        answer("203", hit(100, "heuristic")),
        settings={"cache": {"heuristic_query": False}},
    ),
    conversation(
        "after a 304 with Set-Cookie, the copy gets no heuristic lifetime any more",
        "HEUR-06",
        "F304-09",
        ask("GET /a"),
        origin("200 OK", "Last-Modified: {now-10}"),
        answer("200", STORED),
        later(1),
        ask("GET /a"),
        origin("304 Not Modified", "Last-Modified: {start-10}", "Set-Cookie: a=1"),
        answer("203", VALIDATED, "Set-Cookie: a=1"),
        ask("GET /a"),
        origin("304 Not Modified", "Last-Modified: {start-10}"),
        answer("203", VALIDATED),
    ),
    conversation(
        "after a validation by a request with Cookie, the copy gets no heuristic lifetime any more",
        "HEUR-06",
        ask("GET /a"),
        origin("200 OK", "Last-Modified: {now-10}"),
        answer("200", STORED),
        later(1),
        ask("GET /a", "Cookie: a=1"),
        origin("304 Not Modified"),
        answer("203", VALIDATED),
        ask("GET /a"),
        origin("304 Not Modified"),
        answer("203", VALIDATED),
        ask("GET /a"),
        origin("304 Not Modified"),
        answer("203", VALIDATED),
    ),
    conversation(
        "with a targeted field in use, Expires is ignored, even if that field gives no lifetime",
        "TARGET-02",
        ask("GET /a"),
        origin("200 OK", "CDN-Cache-Control: must-revalidate", "Expires: {now+60}", 'ETag: "1"'),
        answer("200", STORED),
        ask("GET /a"),
        origin("304 Not Modified", 'ETag: "1"'),
        answer("203", VALIDATED),
        settings={"cache": {"targeted_fields": ["CDN-Cache-Control"]}},
    ),
    # ---- kinds of files that never change under their URL
    _kind("/packages/a-1.whl", 86_400),
    _kind("/packages/a-1.whl?b", 86_400),
    _kind("/packages/a-1.tar", 0),
    _kind("/simple/a/", 600, "Content-Type: application/vnd.pypi.simple.v1+json; charset=utf-8"),
    _kind("/simple/a/", 0, "Content-Type: text/html"),
    _kind("/a", 5, lifetimes=[{"lifetime": 5, "host": "127.0.0.1"}]),
    _kind("/a", 0, lifetimes=[{"lifetime": 5, "host": "*.example"}]),
    _kind("/a", 5, lifetimes=[{"lifetime": 5, "paths": ["/b", "/a"]}, {"lifetime": 9}]),
    _kind("/a", 9, lifetimes=[{"lifetime": 5, "paths": ["/b", "/c"]}, {"lifetime": 9}]),
    _kind("/a", 0, status="404", lifetimes=[{"lifetime": 5}]),
    conversation(
        "an explicit lifetime has precedence over the lifetime of its kind",
        "HEUR-01",
        ask("GET /a-1.whl"),
        origin("200 OK", FRESH_60),
        answer("200", STORED),
        ask("GET /a-1.whl"),
        answer("203", hit(60)),
    ),
]
