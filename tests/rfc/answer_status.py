"""The status of a copy of a 200: 203, or 200 with the name of the reason."""

from typing import Any

from tests.lanes.script import Conversation, Step, answer, ask, conversation, counts, later, origin
from tests.rfc.common_steps import FRESH_60, STORED, VALIDATED, hit


def _stored(*fields: str) -> tuple[Step, ...]:
    return (
        ask("GET /a"),
        origin("200 OK", FRESH_60, 'ETag: "1"', *fields, body="hello"),
        answer("200", STORED, body="hello"),
    )


def _exempt(title: str, detail: str, *request: str, stored: tuple[str, ...] = ()) -> Conversation:
    return conversation(
        f"answer.status = auto: {title} gets 200 from the copy, with the name of the reason",
        "STATUS-02",
        "STATUS-35",
        *_stored(*stored),
        later(10),
        ask("GET /a", *request),
        answer("200 OK", "Age: 10", hit(50, detail), 'ETag: "1"', body="hello"),
        counts(f"exempted.{detail}"),
    )


def _not_exempt(title: str, *request: str, settings: dict[str, Any] | None = None) -> Conversation:
    return conversation(
        f"{title} gets 203 from the copy",
        "STATUS-02",
        *_stored(),
        ask("GET /a", *request),
        answer("203", hit(60), body="hello"),
        settings=settings,
    )


CONVERSATIONS = [
    _exempt("cargo", "client-cargo", "User-Agent: cargo/1.95.0 (abc)"),
    _exempt("the go command", "client-go", "User-Agent: Go-http-client/1.1"),
    _exempt("Maven", "client-maven", "User-Agent: Apache-Maven/3.9.9 (Java 21)"),
    _exempt("pnpm", "client-pnpm", "User-Agent: pnpm/10.34.9 npm/? node/v20 linux x64"),
    _exempt("Nix, whose User-Agent begins with curl", "client-nix", "User-Agent: curl/8.13.0 Nix/2.26.3"),
    _exempt("npm, which does not store a 203", "client-npm", "User-Agent: npm/11.19.1 node/v20"),
    _exempt("EventSource", "accept-event-stream", "Accept: text/event-stream"),
    _exempt("fetch() in a browser", "fetch-dest", "Sec-Fetch-Dest: empty", "User-Agent: Mozilla/5.0"),
    _exempt("a video element", "fetch-dest", "Sec-Fetch-Dest: video"),
    _exempt("any client of a video", "media", stored=("Content-Type: Video/mp4",)),
    _not_exempt("a document in a browser", "Sec-Fetch-Dest: document", "User-Agent: Mozilla/5.0"),
    _not_exempt("curl", "User-Agent: curl/8.13.0"),
    _not_exempt("pip", "User-Agent: pip/26.3"),
    _not_exempt("python-requests", "User-Agent: python-requests/2.34.2"),
    _not_exempt("a client without User-Agent"),
    _not_exempt(
        "answer.status = always: even cargo", "User-Agent: cargo/1.95.0", settings={"answer": {"status": "always"}}
    ),
    conversation(
        "pip gets 200 for HEAD, and 203 for GET",
        "STATUS-12",
        "STATUS-35",
        *_stored(),
        ask("HEAD /a", "User-Agent: pip/26.3"),
        answer("200", hit(60, "client-pip-head"), body=""),
        ask("GET /a", "User-Agent: pip/26.3"),
        answer("203", hit(60)),
    ),
    conversation(
        "an exempt client still gets 304 and 206",
        "STATUS-10",
        "STATUS-11",
        *_stored(),
        ask("GET /a", "User-Agent: cargo/1.95.0", 'If-None-Match: "1"'),
        answer("304", hit(60)),
        ask("GET /a", "User-Agent: cargo/1.95.0", "Range: bytes=0-1"),
        answer("206", hit(60), body="he"),
    ),
    conversation(
        "answer.status = origin: every response has the stored status, and nothing else changes",
        "STATUS-02",
        "STATUS-03",
        *_stored(),
        later(10),
        ask("GET /a"),
        answer("200 OK", "Age: 10", hit(50), body="hello"),
        ask("HEAD /a"),
        answer("200", hit(50), body=""),
        ask("GET /a", "Range: bytes=0-1"),
        answer("206", hit(50), body="he"),
        later(60),
        ask("GET /a"),
        origin("304 Not Modified", 'ETag: "1"'),
        answer("200", VALIDATED, body="hello"),
        settings={"answer": {"status": "origin"}},
    ),
    conversation(
        "a rule of the operator has precedence over the list of clients",
        "STATUS-35",
        *_stored(),
        ask("GET /a", "User-Agent: my-script/1"),
        answer("200", hit(60), body="hello"),
        ask("GET /a", "User-Agent: cargo/1.95.0"),
        answer("203", hit(60), body="hello"),
        ask("GET /a"),
        answer("203", hit(60), body="hello"),
        settings={
            "answer": {
                "rules": [
                    {"user_agent": "^my-script/", "status": "origin"},
                    {"path": "/a", "user_agent": "^cargo/", "status": "always"},
                ]
            }
        },
    ),
    conversation(
        "a signature over @status keeps the 200",
        "STATUS-34",
        "META-21",
        ask("GET /a"),
        origin("200 OK", FRESH_60, 'Signature-Input: sig=("@status" "content-type")', "Signature: sig=:x:"),
        answer("200", STORED),
        ask("GET /a"),
        answer("200 OK", hit(60, "signed-status"), 'Signature-Input: sig=("@status" "content-type")'),
        ask("GET /b"),
        origin("200 OK", FRESH_60, 'Signature-Input: sig=("content-type")', "Signature: sig=:x:"),
        answer("200", STORED),
        ask("GET /b"),
        answer("203", hit(60), "Signature: sig=:x:"),
    ),
    conversation(
        "cache_status = false removes Cache-Status, but not Age or the 203",
        "META-10",
        ask("GET /a"),
        origin("200 OK", FRESH_60),
        answer("200", "no Cache-Status"),
        later(10),
        ask("GET /a"),
        answer("203", "Age: 10", "no Cache-Status"),
        settings={"answer": {"cache_status": False}},
    ),
    conversation(
        "the Cache-Status of other caches is kept, and ours is appended",
        "META-10",
        ask("GET /a"),
        origin("200 OK", FRESH_60, "Cache-Status: inner; hit"),
        answer("200", "Cache-Status: inner; hit, secondhand; fwd=uri-miss; stored"),
        ask("GET /a"),
        answer("203", "Cache-Status: inner; hit, secondhand; hit; ttl=60"),
    ),
    conversation(
        "an upstream cache's 200 with Age is relayed as 200",
        "META-05",
        ask("GET /a"),
        origin("200 OK", FRESH_60, "Age: 7"),
        answer("200", STORED, "Age: 7"),
    ),
    conversation(
        "memento = true adds the original URI and the time to every copy",
        "META-20",
        ask("GET /a"),
        origin("200 OK", FRESH_60),
        answer("200", STORED, "no Memento-Datetime"),
        ask("GET /a"),
        answer("203", "Memento-Datetime: {start}", 'Link: <{origin}/a>; rel="original"'),
        settings={"answer": {"memento": True}},
    ),
    conversation(
        "memento = true applies to a 206, a 304 or an error from a copy too, but not to a relayed response",
        "META-20",
        ask("GET /a"),
        origin("200 OK", FRESH_60, 'ETag: "1"', 'Link: </b>; rel="next"', body="hello"),
        answer("200", STORED, "no Memento-Datetime", 'Link: </b>; rel="next"'),
        later(5),
        ask("GET /a", "Range: bytes=0-0"),
        answer("206", "Memento-Datetime: {start}", 'Link: </b>; rel="next", <{origin}/a>; rel="original"', body="h"),
        ask("GET /a", 'If-None-Match: "1"'),
        answer("304", "Memento-Datetime: {start}"),
        ask("GET /gone"),
        origin("404 Not Found", FRESH_60),
        answer("404", STORED, "no Memento-Datetime"),
        ask("GET /gone"),
        answer("404", hit(60), "Memento-Datetime: {now}"),
        settings={"answer": {"memento": True}},
    ),
    conversation(
        "a response with Memento-Datetime keeps it, and Accept-Datetime in the request changes nothing",
        "META-20",
        "KEY-12",
        ask("GET /a", "Accept-Datetime: Thu, 31 May 2007 20:35:00 GMT"),
        origin(
            "200 OK",
            FRESH_60,
            "Memento-Datetime: Mon, 28 May 2007 20:00:00 GMT",
            'Link: <http://a.example/>; rel="original"',
            saw="Accept-Datetime: Thu, 31 May 2007 20:35:00 GMT",
        ),
        answer("200", STORED, "Memento-Datetime: Mon, 28 May 2007 20:00:00 GMT"),
        ask("GET /a"),
        answer(
            "203",
            hit(60),
            "Memento-Datetime: Mon, 28 May 2007 20:00:00 GMT",
            'Link: <http://a.example/>; rel="original"',
        ),
        settings={"answer": {"memento": True}},
    ),
]
