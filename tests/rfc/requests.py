"""What a client may ask of a cache (RFC 9111 §5.2.1)."""

from tests.lanes.script import Conversation, Step, answer, ask, conversation, later, origin
from tests.rfc.words import FRESH_60, MISS, STORED, VALIDATED, hit


def _stored(*fields: str) -> tuple[Step, ...]:
    return (
        ask("GET /a"),
        origin("200 OK", *(fields or (FRESH_60,)), 'ETag: "1"', body="hello"),
        answer("200", STORED, body="hello"),
    )


def _asks_the_origin(title: str, request: str, after: int, detail: str, *rows: str) -> Conversation:
    return conversation(
        title,
        *rows,
        *_stored(),
        later(after),
        ask("GET /a", request),
        origin("304 Not Modified", 'ETag: "1"', saw='If-None-Match: "1"'),
        answer("203", f"Cache-Status: secondhand; fwd=request; fwd-status=304; detail={detail}", body="hello"),
    )


def _content(title: str, request: str, after: int, status: str, *rows: str, stored: str = FRESH_60) -> Conversation:
    return conversation(
        title,
        *rows,
        *_stored(*stored.split(" | ")),
        later(after),
        ask("GET /a", *request.split(" | ")),
        answer("203", status, f"Age: {after}", body="hello"),
    )


CONVERSATIONS = [
    _asks_the_origin("no-cache", "Cache-Control: no-cache", 10, "request-no-cache", "REQ-04", "META-08"),
    _asks_the_origin("Pragma: no-cache alone", "Pragma: no-cache", 10, "request-no-cache", "REQ-08"),
    _asks_the_origin("max-age=0", "Cache-Control: max-age=0", 10, "request-max-age", "REQ-01"),
    _asks_the_origin("max-age below the age", "Cache-Control: max-age=9", 10, "request-max-age", "REQ-01"),
    _asks_the_origin("min-fresh above what is left", "Cache-Control: min-fresh=51", 10, "request-min-fresh", "REQ-02"),
    _asks_the_origin("max-age that cannot be read", "Cache-Control: max-age=soon", 10, "request-no-cache", "REQ-10"),
    _content("max-age above the age", "Cache-Control: max-age=10", 10, hit(50), "REQ-01"),
    _content("min-fresh below what is left", "Cache-Control: min-fresh=50", 10, hit(50), "REQ-02"),
    _content("other Pragma values", "Pragma: foo | Cache-Control: nothing-to-see-here", 10, hit(50), "REQ-08"),
    _content("Pragma next to Cache-Control", "Pragma: no-cache | Cache-Control: max-age=99", 10, hit(50), "REQ-08"),
    _content(
        "max-stale as stale as that", "Cache-Control: max-stale=10", 70, hit(-10, "max-stale"), "REQ-03", "STATUS-04"
    ),
    _content(
        "max-stale without a limit", "Cache-Control: max-stale", 9999, hit(-9939, "max-stale"), "REQ-03", "case 4"
    ),
    _content("only-if-cached with a copy", "Cache-Control: only-if-cached", 10, hit(50), "REQ-06"),
    _content(
        "a response's Pragma has no effect next to Cache-Control",
        "X-Own: 1",
        10,
        hit(50),
        "REQ-09",
        stored="Cache-Control: max-age=60 | Pragma: no-cache",
    ),
    conversation(
        "staler than max-stale allows",
        "REQ-03",
        *_stored(),
        later(71),
        ask("GET /a", "Cache-Control: max-stale=10"),
        origin("304 Not Modified", 'ETag: "1"'),
        answer("203", VALIDATED, body="hello"),
    ),
    *(
        conversation(
            f"max-stale does not loosen {directive}",
            "REQ-07",
            "STALE-02",
            *_stored(f"Cache-Control: {directive}"),
            later(70),
            ask("GET /a", "Cache-Control: max-stale"),
            origin("304 Not Modified", 'ETag: "1"'),
            answer("203", VALIDATED, body="hello"),
        )
        for directive in ("max-age=60, must-revalidate", "max-age=60, proxy-revalidate", "s-maxage=60")
    ),
    conversation(
        "only-if-cached without a copy is 504, and nobody is asked",
        "REQ-06",
        "STATUS-22",
        "STATUS-33",
        "META-14",
        "case 22",
        ask("GET /a", "Cache-Control: only-if-cached"),
        answer(
            "504 Gateway Timeout",
            "no Cache-Status",
            "Content-Type: text/plain; charset=utf-8",
            "Proxy-Status: secondhand...",
            body="...reason: only-if-cached\n",
        ),
        *_stored(),
        later(60),
        ask("GET /a", "Cache-Control: only-if-cached"),
        answer("504", body="...reason: only-if-cached\n"),
        ask("GET /a", "Cache-Control: only-if-cached, max-stale"),
        answer("203", hit(0, "max-stale"), body="hello"),
    ),
    conversation(
        "a reload drives no request with client_reload = ignore-when-fresh",
        "REQ-13",
        *_stored(),
        ask("GET /a", "Cache-Control: no-cache"),
        answer("203", hit(60), body="hello"),
        later(60),
        ask("GET /a", "Cache-Control: no-cache"),
        origin("304 Not Modified", 'ETag: "1"'),
        answer("203", body="hello"),
        settings={"cache": {"client_reload": "ignore-when-fresh"}},
    ),
    conversation(
        "a reload drives no request to some hosts",
        "REQ-13",
        *_stored(),
        ask("GET /a", "Cache-Control: max-age=0"),
        answer("203", hit(60), body="hello"),
        settings={"cache": {"hosts": [{"host": "127.0.0.1", "client_reload": "ignore-when-fresh"}]}},
    ),
    conversation(
        "and one to the others",
        "REQ-13",
        *_stored(),
        ask("GET /a", "Cache-Control: max-age=0"),
        origin("304 Not Modified", 'ETag: "1"'),
        answer("203", body="hello"),
        settings={
            "cache": {
                "client_reload": "ignore-when-fresh",
                "hosts": [{"host": "127.*", "groups": False}, {"host": "127.*", "client_reload": "honour"}],
            }
        },
    ),
    *(
        conversation(
            f"a table that {title} leaves reloads as they are",
            "REQ-13",
            *_stored(),
            ask("GET /a", "Cache-Control: max-age=0"),
            answer("203", hit(60), body="hello"),
            settings={"cache": {"client_reload": "ignore-when-fresh", "hosts": [table]}},
        )
        for title, table in (
            ("is for another host", {"host": "*.example", "client_reload": "honour"}),
            ("says nothing of them", {"host": "*", "groups": False}),
        )
    ),
    conversation(
        "a request directive does not make storable what the origin wants forgotten",
        "REQ-07",
        ask("GET /a", "Cache-Control: max-stale, max-age=999"),
        origin("200 OK", "Cache-Control: no-store, max-age=60", saw="Cache-Control: max-stale, max-age=999"),
        answer("200", MISS),
    ),
]
