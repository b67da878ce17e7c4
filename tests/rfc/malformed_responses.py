"""Malformed and incomplete responses; interim responses, trailers and HTTP/1.0 (RFC 9112)."""

from tests.lanes.script import (
    Conversation,
    Step,
    answer,
    ask,
    conversation,
    counts,
    later,
    origin,
    origin_bytes,
    origin_continues,
)
from tests.lanes.unsupported import EXPECTATION, NOT_IN_FRONT_END, ONLY_IN_FRONT_END
from tests.rfc.common_steps import FRESH_60, MISS, STORED, hit, nothing_is_stored, proxy_status

HEAD = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n"


def _refused(
    title: str, data: bytes, error: str, *rows: str, unsupported: dict[str, str] | None = None
) -> Conversation:
    return conversation(
        f"{title}: 502, and nothing is stored",
        *rows,
        "STATUS-25",
        ask("GET /a"),
        origin_bytes(data),
        answer("502 Bad Gateway", "no Cache-Status", proxy_status(error + "..."), body="...reason: fetch-failed\n"),
        *nothing_is_stored(),
        unsupported=unsupported,
    )


def _cut(title: str, *steps: Step, unsupported: dict[str, str] | None = None) -> Conversation:
    return conversation(
        f"{title}: the connection to the client is closed early, and nothing is stored",
        "SEC-02",
        "STORE-15",
        *steps,
        counts("not_stored.incomplete"),
        *nothing_is_stored(),
        unsupported=unsupported,
    )


CONVERSATIONS = [
    _refused("not an HTTP response", b"what?\r\n\r\n", "http_protocol_error", "SEC-02"),
    _refused("a head that is incomplete", b"HTTP/1.1 200 OK\r\nCache-Con", "connection_terminated"),
    _refused(
        "two different lengths",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "http_protocol_error",
        "PARSE-16",
        "SEC-02",
    ),
    _refused(
        "a length that is not a number", HEAD + b"Content-Length: five\r\n\r\nhello", "http_protocol_error", "PARSE-16"
    ),
    _refused(
        "a length beside chunked",
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "http_protocol_error",
        "SEC-02",
    ),
    _refused(
        "an unknown transfer coding", HEAD + b"Transfer-Encoding: x\r\n\r\nhello", "http_protocol_error", "SEC-02"
    ),
    _refused("NUL in a field", HEAD + b"X: a\x00b\r\nContent-Length: 0\r\n\r\n", "http_protocol_error", "PARSE-17"),
    _refused("a folded line", HEAD + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n", "http_protocol_error", "PARSE-17"),
    _refused("a header section that is too large", HEAD + b"X: " + b"a" * 70_000, "http_response_header", "PARSE-19"),
    _refused(
        "a switch of protocols that was not requested",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "http_protocol_error",
    ),
    _refused(
        "a small body that is incomplete",
        HEAD + b"Content-Length: 10\r\n\r\nhello",
        "http_response_incomplete",
        "SEC-02",
        "STORE-15",
        unsupported=NOT_IN_FRONT_END,
    ),
    _cut(
        "a small body that is incomplete",
        ask("GET /a"),
        origin("200 OK", FRESH_60, "Content-Length: 10", body="hello", then="closes"),
        answer("200", STORED, body="hello", cut=True),
        unsupported=ONLY_IN_FRONT_END,
    ),
    _cut(
        "no last chunk",
        ask("GET /a"),
        origin("200 OK", FRESH_60, "Transfer-Encoding: chunked", body="hello", then="closes"),
        answer("200", STORED, body="hello", cut=True),
    ),
    _cut(
        "no end of the trailer section",
        ask("GET /a"),
        origin_bytes(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"),
        answer("200", STORED, body="hello", cut=True),
    ),
    _cut(
        "a malformed chunk",
        ask("GET /a"),
        origin_bytes(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nwhat?\r\n"),
        answer("200", STORED, body="hello", cut=True),
    ),
    _cut(
        "a reset within the body",
        ask("GET /a"),
        origin("200 OK", FRESH_60, "Transfer-Encoding: chunked", body="hello", then="more"),
        origin_continues("", then="resets"),
        answer("200", STORED, cut=True),
    ),
    _cut(
        "a large body that is incomplete",
        ask("GET /a"),
        origin("200 OK", FRESH_60, "Content-Length: 200000", body="0123456789" * 15_000, then="closes"),
        answer("200", STORED, body="0123456789" * 15_000, cut=True),
    ),
    conversation(
        "the old copy stays if the new response is incomplete",
        "SEC-02",
        "REVAL-06",
        ask("GET /a"),
        origin("200 OK", FRESH_60, 'ETag: "1"', body="old"),
        answer("200", STORED),
        later(60),
        ask("GET /a"),
        origin("200 OK", FRESH_60, 'ETag: "2"', "Content-Length: 10", body="new", then="closes"),
        answer("502", proxy_status("http_response_incomplete...")),
        ask("GET /a"),
        origin("304 Not Modified", 'ETag: "1"', saw='If-None-Match: "1"'),
        answer("203", body="old"),
        unsupported=NOT_IN_FRONT_END,
    ),
    conversation(
        "a body without Content-Length is complete when the connection closes",
        "STORE-15",
        ask("GET /a"),
        origin("200 OK", FRESH_60, "no Content-Length", body="hello", then="closes"),
        answer("200", STORED, body="hello"),
        counts("stored"),
        ask("GET /a"),
        answer("203", hit(60), "Content-Length: 5", body="hello"),
    ),
    conversation(
        "bytes behind a response are not a response to the next request",
        "SEC-03",
        ask("GET /a"),
        origin_bytes(HEAD + b"Content-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", then=""),
        answer("200", STORED, body="hello"),
        ask("GET /b"),
        origin("200 OK", body="good"),
        answer("200", MISS, body="good"),
    ),
    conversation(
        "interim responses are relayed, but neither stored nor taken for the final response",
        "INTERIM-01",
        "INTERIM-03",
        "INTERIM-04",
        "INTERIM-07",
        ask("GET /a"),
        origin_bytes(
            b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n"
            + HEAD
            + b"Content-Length: 5\r\n\r\nhello",
            then="",
        ),
        answer("200", STORED, "no Link", body="hello", interim=(102, 103)),
        ask("GET /a"),
        answer("203", hit(60), "no Link", body="hello"),
    ),
    conversation(
        "Expect: 100-continue is forwarded, and the origin's 100 is relayed",
        "INTERIM-05",
        ask("POST /a", "Expect: 100-continue", body="much"),
        origin_bytes(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nthanks",
            then="",
        ),
        answer("200", body="thanks", interim=(100,)),
        unsupported=dict.fromkeys(("http", "https", "http2"), EXPECTATION),
    ),
    conversation(
        "trailers are relayed, but not stored",
        "STORE-14",
        "META-19",
        ask("GET /a"),
        origin_bytes(
            HEAD + b"Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n", then=""
        ),
        answer("200", STORED, "no X-Sum", "no Trailer", body="hello", trailers=("X-Sum: 1",)),
        ask("GET /a"),
        answer("203", hit(60), "no X-Sum", "no Trailer", body="hello"),
    ),
    conversation(
        "an HTTP/1.0 response is relayed as HTTP/1.1",
        "META-01",
        ask("GET /a"),
        origin_bytes(b"HTTP/1.0 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 5\r\n\r\nhello"),
        answer("200", STORED, body="hello"),
        ask("GET /a"),
        answer("203", hit(60), body="hello"),
    ),
]
