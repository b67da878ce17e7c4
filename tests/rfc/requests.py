"""Cache directives of requests (RFC 9111 §5.2.1)."""

from tests.lanes.script import Conversation, Step, answer, ask, conversation, later, origin
from tests.rfc.common_steps import FRESH_60, MISS, STORED, VALIDATED, hit


def _stored(*fields: str) -> tuple[Step, ...]:
    return (
        ask("GET /a"),
        origin("200 OK", *(fields or (FRESH_60,)), 'ETag: "1"', body="hello"),
        answer("200", STORED, body="hello"),
    )


def _validated(title: str, request: str, after: int, detail: str, *rows: str) -> Conversation:
    return conversation(
        title,
        *rows,
        *_stored(),
        later(after),
        ask("GET /a", request),
        origin("304 Not Modified", 'ETag: "1"', saw='If-None-Match: "1"'),
        answer("203", f"Cache-Status: secondhand; fwd=request; fwd-status=304; detail={detail}", body="hello"),
    )


def _from_copy(title: str, request: str, after: int, status: str, *rows: str, stored: str = FRESH_60) -> Conversation:
    return conversation(
        title,
        *rows,
        *_stored(*stored.split(" | ")),
        later(after),
        ask("GET /a", *request.split(" | ")),
        answer("203", status, f"Age: {after}", body="hello"),
    )


CONVERSATIONS = [
    _validated(
        "no-cache: the copy is validated", "Cache-Control: no-cache", 10, "request-no-cache", "REQ-04", "META-08"
    ),
    _validated(
        "Pragma: no-cache without Cache-Control: the copy is validated",
        "Pragma: no-cache",
        10,
        "request-no-cache",
        "REQ-08",
    ),
    _validated("max-age=0: the copy is validated", "Cache-Control: max-age=0", 10, "request-max-age", "REQ-01"),
    _validated(
        "max-age less than the age: the copy is validated", "Cache-Control: max-age=9", 10, "request-max-age", "REQ-01"
    ),
    _validated(
        "min-fresh more than the remaining lifetime: the copy is validated",
        "Cache-Control: min-fresh=51",
        10,
        "request-min-fresh",
        "REQ-02",
    ),
    _validated(
        "malformed max-age: the copy is validated", "Cache-Control: max-age=soon", 10, "request-no-cache", "REQ-10"
    ),
    _from_copy("max-age not less than the age: the copy is sent", "Cache-Control: max-age=10", 10, hit(50), "REQ-01"),
    _from_copy(
        "min-fresh not more than the remaining lifetime: the copy is sent",
        "Cache-Control: min-fresh=50",
        10,
        hit(50),
        "REQ-02",
    ),
    _from_copy(
        "other Pragma values are ignored", "Pragma: foo | Cache-Control: nothing-to-see-here", 10, hit(50), "REQ-08"
    ),
    _from_copy(
        "Pragma is ignored beside Cache-Control", "Pragma: no-cache | Cache-Control: max-age=99", 10, hit(50), "REQ-08"
    ),
    _from_copy(
        "max-stale not less than the staleness: the copy is sent",
        "Cache-Control: max-stale=10",
        70,
        hit(-10, "max-stale"),
        "REQ-03",
        "STATUS-04",
    ),
    _from_copy(
        "max-stale without an argument: the copy is sent",
        "Cache-Control: max-stale",
        9999,
        hit(-9939, "max-stale"),
        "REQ-03",
    ),
    _from_copy("only-if-cached with a copy: the copy is sent", "Cache-Control: only-if-cached", 10, hit(50), "REQ-06"),
    _from_copy(
        "the Pragma of a response is ignored beside Cache-Control",
        "X-Own: 1",
        10,
        hit(50),
        "REQ-09",
        stored="Cache-Control: max-age=60 | Pragma: no-cache",
    ),
    conversation(
        "max-stale less than the staleness: the copy is validated",
        "REQ-03",
        *_stored(),
        later(71),
        ask("GET /a", "Cache-Control: max-stale=10"),
        origin("304 Not Modified", 'ETag: "1"'),
        answer("203", VALIDATED, body="hello"),
    ),
    *(
        conversation(
            f"max-stale does not override {directive}",
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
        "only-if-cached without a usable copy gets a 504, and nothing is forwarded",
        "REQ-06",
        "STATUS-22",
        "STATUS-33",
        "META-14",
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
        "with client_reload = ignore-when-fresh, a reload gets a fresh copy",
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
        "with client_reload = ignore-when-fresh for a host, a reload gets a fresh copy",
        "REQ-13",
        *_stored(),
        ask("GET /a", "Cache-Control: max-age=0"),
        answer("203", hit(60), body="hello"),
        settings={"cache": {"hosts": [{"host": "127.0.0.1", "client_reload": "ignore-when-fresh"}]}},
    ),
    conversation(
        "with client_reload = honour for a host, a reload is forwarded",
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
            f"a host table that {title} does not change client_reload",
            "REQ-13",
            *_stored(),
            ask("GET /a", "Cache-Control: max-age=0"),
            answer("203", hit(60), body="hello"),
            settings={"cache": {"client_reload": "ignore-when-fresh", "hosts": [table]}},
        )
        for title, table in (
            ("is for another host", {"host": "*.example", "client_reload": "honour"}),
            ("does not set it", {"host": "*", "groups": False}),
        )
    ),
    conversation(
        "request directives do not allow storing a response with no-store",
        "REQ-07",
        ask("GET /a", "Cache-Control: max-stale, max-age=999"),
        origin("200 OK", "Cache-Control: no-store, max-age=60", saw="Cache-Control: max-stale, max-age=999"),
        answer("200", MISS),
    ),
]
