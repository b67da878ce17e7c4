"""What strangers may try, and what a proxy does not do for them (RFC 9111 §7)."""

from tests.lanes.script import Conversation, answer, ask, conversation, counts, later, no_clock, origin
from tests.rfc.words import FRESH_60, MISS, STORED, hit, proxy_status

BYPASSED = "Cache-Status: secondhand; fwd=bypass; detail=unkeyed-input"

EDGE = dict.fromkeys(
    ("responder", "http", "https", "http2"), "an edge is told its one origin before it starts, and that one comes later"
)
TUNNEL = dict.fromkeys(("https", "http2"), "there, it is the tunnel that is refused")


def _odd(title: str, *request: str, target: str = "/a", **more: dict[str, str]) -> Conversation:
    return conversation(
        f"an error that an odd request provoked is not stored: {title}",
        "SEC-05",
        ask(f"GET {target}", *request),
        origin("400 Bad Request", FRESH_60),
        answer("400", "no Age"),
        counts("not_stored.odd-request"),
        ask(f"GET {target}"),
        origin("200 OK", FRESH_60),
        answer("200", STORED),
        **more,
    )


def _with_type(path: str, kind: str, *, stored: bool) -> Conversation:
    return conversation(
        f"with content_type_match, {kind} under {path} is {'stored' if stored else 'not stored'}",
        "SEC-06",
        ask(f"GET {path}"),
        origin("200 OK", FRESH_60, *([f"Content-Type: {kind}"] if kind else [])),
        answer("200", STORED if stored else MISS),
        *([] if stored else [counts("not_stored.content-type")]),
        settings={"cache": {"content_type_match": True}},
    )


CONVERSATIONS = [
    # ---- what is in no key
    *(
        conversation(
            f"a field that origins go by and no key has goes past the cache: {field}",
            "SEC-04",
            ask("GET /a", field),
            origin("200 OK", FRESH_60, body="poison", saw=field),
            answer("200", BYPASSED, body="poison"),
            ask("GET /a"),
            origin("200 OK", FRESH_60, body="wholesome"),
            answer("200", STORED, body="wholesome"),
            ask("GET /a", field),
            origin("404 Not Found", FRESH_60),
            answer("404", BYPASSED),
            ask("GET /a"),
            answer("203", hit(60), body="wholesome"),
        )
        for field in (
            "X-Forwarded-Host: evil.example",
            "X-Original-URL: /other",
            "X-HTTP-Method-Override: DELETE",
            "Forwarded: for=192.0.2.1;host=evil.example",
            "Forwarded: proto=http",
        )
    ),
    conversation(
        "who a request is forwarded for is nothing that an answer depends on",
        "SEC-04",
        ask("GET /a", "X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1"),
        origin("200 OK", FRESH_60),
        answer("200", STORED),
    ),
    conversation(
        "an edge takes such fields off, and goes on as if they had never been there",
        "SEC-04",
        ask("GET /a", "X-Forwarded-Host: evil.example", "X-Forwarded-For: 192.0.2.1"),
        origin("200 OK", FRESH_60, saw=("no X-Forwarded-Host", "X-Forwarded-For: 192.0.2.1")),
        answer("200", STORED),
        ask("GET /a", "X-Rewrite-URL: /b"),
        answer("203", hit(60)),
        settings={"edge": "http://127.0.0.1:8000"},
        unseen=EDGE,
    ),
    # ---- what provokes an error
    _odd("a head of more than 8 KiB", "X-Long: " + "x" * 8_000, "X-More: " + "x" * 200),
    _odd("a range that is none", "Range: bytes=9-1x"),
    _odd("another unit", "Range: pages=1-2"),
    _odd(
        "a control character",
        "X-Bell: ding\x07dong",
        unseen=dict.fromkeys(("http", "https", "http2"), "it gets no further than the parser of the proxy's listener"),
    ),
    conversation(
        "an error that nothing odd provoked is stored",
        "SEC-05",
        ask("GET /a", "Range: bytes=0-1, -5,9-", "X-Long: " + "x" * 7_000),
        origin("404 Not Found", FRESH_60),
        answer("404", STORED),
        ask("GET /a"),
        answer("404", hit(60)),
    ),
    # ---- what a name promises
    conversation(
        "the extension of a name makes nothing storable",
        "SEC-06",
        ask("GET /account/style.css"),
        origin("200 OK", "Content-Type: text/html", body="secret"),
        answer("200", MISS),
        ask("GET /account/style.css"),
        origin("200 OK", body="another's secret"),
        answer("200", MISS),
    ),
    _with_type("/account.php/style.css", "text/html; charset=utf-8", stored=False),
    _with_type("/a.PNG?b", "text/html", stored=False),
    _with_type("/a.js", "application/json", stored=False),
    _with_type("/a.zip", "application/json", stored=False),
    _with_type("/style.css", "Text/CSS; charset=utf-8", stored=True),
    _with_type("/a.woff2", "font/woff2", stored=True),
    _with_type("/a.zip", "application/octet-stream", stored=True),
    _with_type("/a.png", "", stored=True),
    _with_type("/a.php?b.css", "text/html", stored=True),
    conversation(
        "with content_type_match, an error page is stored under any name",
        "SEC-06",
        ask("GET /a.css"),
        origin("404 Not Found", FRESH_60, "Content-Type: text/html"),
        answer("404", STORED),
        settings={"cache": {"content_type_match": True}},
    ),
    # ---- what the time of an answer tells
    conversation(
        "a partition by site keeps what one site has asked for from another",
        "SEC-09",
        ask("GET /a", "Referer: https://User@one.example/page", "Sec-Fetch-Site: cross-site"),
        origin("200 OK", FRESH_60),
        answer("200", STORED),
        ask("GET /a", "Referer: https://one.EXAMPLE/other-page", "Sec-Fetch-Site: cross-site"),
        answer("203", hit(60)),
        ask("GET /a", "Referer: https://two.example/page", "Sec-Fetch-Site: cross-site"),
        origin("200 OK", FRESH_60),
        answer("200", "Cache-Status: secondhand; fwd=vary-miss; stored"),
        ask("GET /a", "Referer: https://one.example/", "Sec-Fetch-Site: same-site"),
        origin("200 OK", FRESH_60),
        answer("200", "Cache-Status: secondhand; fwd=vary-miss; stored"),
        ask("GET /a", "Referer: [", "Sec-Fetch-Site: same-site"),
        origin("200 OK", FRESH_60),
        answer("200", "Cache-Status: secondhand; fwd=vary-miss; stored"),
        ask("GET /a", "Sec-Fetch-Site: same-site"),
        answer("203", hit(60)),
        settings={"cache": {"partition": ["sec-fetch-site", "referring-site"]}},
    ),
    conversation(
        "a partition by user holds in the background too",
        "SEC-09",
        "REVAL-14",
        ask("GET /a", "Cookie: user=1"),
        origin("200 OK", "Cache-Control: max-age=1, stale-while-revalidate=60", 'ETag: "1"'),
        answer("200", STORED),
        later(1),
        ask("GET /a", "Cookie: user=1"),
        origin("304 Not Modified", 'ETag: "1"', saw="Cookie: user=1"),
        counts("freshened"),
        answer("203"),
        ask("GET /a", "Cookie: user=1"),
        answer("203", hit(1)),
        ask("GET /a", "Cookie: user=2"),
        origin("200 OK", FRESH_60, saw='If-None-Match: "1"'),
        answer("200", "Cache-Status: secondhand; fwd=vary-miss; stored"),
        settings={"cache": {"partition": ["cookie"]}},
    ),
    # ---- where a proxy that others can reach does not go
    conversation(
        "strangers are not led to this machine",
        "SEC-15",
        ask("GET /a"),
        answer("502", proxy_status("destination_ip_prohibited..."), body="...reason: target\n"),
        counts("refused.target"),
        settings={"listen": "0.0.0.0:0"},
        unseen=TUNNEL,
    ),
    conversation(
        "unless its operator allows that",
        "SEC-15",
        ask("GET /a"),
        origin("200 OK", FRESH_60),
        answer("200", STORED),
        settings={"listen": "0.0.0.0:0", "origin": {"allowed_targets": ["127.0.0.1"]}},
        unseen=TUNNEL,
    ),
    # ---- what may be for this proxy alone
    conversation(
        "where this proxy shows a certificate of its own, only what is marked as for everybody is stored",
        "AUTH-08",
        ask("GET /a"),
        origin("200 OK", FRESH_60),
        answer("200", MISS),
        counts("not_stored.authorization"),
        ask("GET /a"),
        origin("200 OK", "Cache-Control: public, max-age=60"),
        answer("200", STORED),
        ask("GET /a"),
        answer("203", hit(60)),
        settings={"origin": {"client_certificate": "{certificate}"}},
        secure=True,
    ),
    # ---- a machine without a clock
    conversation(
        "without a clock that can be right, every use is validated first",
        "FRESH-16",
        ask("GET /a"),
        origin("200 OK", FRESH_60, 'ETag: "1"', body="hello"),
        answer("200", STORED),
        no_clock(),
        ask("GET /a"),
        origin("304 Not Modified", 'ETag: "1"', saw='If-None-Match: "1"'),
        answer("203", "Cache-Status: secondhand; fwd=stale; fwd-status=304; detail=no-clock", body="hello"),
        ask("GET /a"),
        origin("304 Not Modified", 'ETag: "1"'),
        answer("203", "Cache-Status: secondhand; fwd=stale; fwd-status=304; detail=no-clock", body="hello"),
    ),
]
