"""Responses with mistakes that have one meaning, and responses that only `origin.lenient` allows (RFC 9112)."""

from tests.lanes.script import Conversation, answer, ask, conversation, counts, later, origin, origin_bytes
from tests.rfc.common_steps import FRESH_60, STORED, VALIDATED, hit, nothing_is_stored, proxy_status

HEAD = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LENIENT = {"origin": {"lenient": ["*"]}}
NOT_STORED = "Cache-Status: secondhand; fwd=uri-miss; detail=lenient-origin"


def _read(title: str, data: bytes, *rows: str) -> Conversation:
    return conversation(
        f"{title}: the response is relayed and stored",
        *rows,
        ask("GET /a"),
        origin_bytes(data),
        answer("200", STORED, body="hello"),
        ask("GET /a"),
        answer("203", hit(60), body="hello"),
    )


def _read_leniently(title: str, data: bytes) -> tuple[Conversation, Conversation]:
    refused = conversation(
        f"{title}: 502, which names the setting that could allow it",
        "PARSE-23",
        "STATUS-25",
        ask("GET /a"),
        origin_bytes(data),
        answer(
            "502",
            proxy_status("http_protocol_error..."),
            body="...; the setting origin.lenient can allow that for this host\nreason: fetch-failed\n",
        ),
        *nothing_is_stored(),
    )
    allowed = conversation(
        f"{title}, allowed by origin.lenient: relayed, and not stored",
        "PARSE-23",
        ask("GET /a"),
        origin_bytes(data),
        answer("200", NOT_STORED, body="hello"),
        counts("not_stored.lenient-origin"),
        *nothing_is_stored(),
        settings=LENIENT,
    )
    return refused, allowed


CONVERSATIONS = [
    conversation(
        "white space before the colon is removed from a response",
        "PARSE-21",
        ask("GET /a"),
        origin_bytes(b"HTTP/1.1 200 OK\r\nX-Old : a\r\nCache-Control\t: max-age=60\r\nContent-Length : 5\r\n\r\nhello"),
        answer("200", STORED, "X-Old: a", body="hello"),
        ask("GET /a"),
        answer("203", hit(60), "X-Old: a", body="hello"),
    ),
    _read("white space around the size of a chunk", CHUNKED + b"5  \r\nhello\r\n0   \r\n\r\n", "PARSE-22"),
    _read("white space around a chunk extension", CHUNKED + b"5 ;a = b\r\nhello\r\n0; c\r\n\r\n", "PARSE-22"),
    _read(
        "Content-Length in the trailer section", CHUNKED + b"5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n", "PARSE-22"
    ),
    _read("a malformed trailer section", CHUNKED + b"5\r\nhello\r\n0\r\nno colon\r\n\r\n", "PARSE-22"),
    _read("a trailer section that is too long", CHUNKED + b"5\r\nhello\r\n0\r\n" + b"X: a\r\n" * 300, "PARSE-22"),
    *_read_leniently("a bare LF", HEAD + b"X: a\nContent-Length: 5\r\n\r\nhello"),
    *_read_leniently("bare LF only", CHUNKED.replace(b"\r", b"") + b"5\nhello\n0\n\n"),
    *_read_leniently("a folded line", HEAD + b"X: a\r\n b\r\nContent-Length: 5\r\n\r\nhello"),
    *_read_leniently("the same length twice", HEAD + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    *_read_leniently("a length beside chunks", CHUNKED[:-2] + b"Content-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    *_read_leniently("no transfer coding, by name", HEAD + b"Transfer-Encoding: identity\r\n\r\nhello"),
    *_read_leniently("chunks in HTTP/1.0", CHUNKED.replace(b"/1.1", b"/1.0") + b"5\r\nhello\r\n0\r\n\r\n"),
    conversation(
        "a bare LF between chunks only, allowed by origin.lenient: relayed, and not stored",
        "PARSE-23",
        ask("GET /a"),
        origin_bytes(CHUNKED + b"5\nhello\n0\n\n"),
        answer("200", NOT_STORED, body="hello"),
        counts("not_stored.lenient-origin"),
        *nothing_is_stored(),
        settings=LENIENT,
    ),
    conversation(
        "a stored response takes nothing from a 304 that was read leniently: the whole response is fetched",
        "PARSE-23",
        ask("GET /a"),
        origin("200 OK", FRESH_60, 'ETag: "1"', body="old"),
        answer("200", STORED),
        later(60),
        ask("GET /a"),
        origin_bytes(b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nX: a\r\n b\r\n\r\n'),
        origin("200 OK", FRESH_60, 'ETag: "2"', body="new", saw="no If-None-Match"),
        answer("200", "no X", body="new"),
        settings=LENIENT,
    ),
    conversation(
        "a response without mistakes is stored although its host is in origin.lenient",
        "PARSE-23",
        ask("GET /a"),
        origin("200 OK", FRESH_60, 'ETag: "1"', body="hello"),
        answer("200", STORED),
        later(60),
        ask("GET /a"),
        origin("304 Not Modified", FRESH_60, 'ETag: "1"'),
        answer("203", VALIDATED, body="hello"),
        settings=LENIENT,
    ),
]
