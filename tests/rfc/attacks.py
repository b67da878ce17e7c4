"""Attacks: cache poisoning, timing, targets that are refused; and responses for this proxy only (RFC 9111 §7)."""

from typing import Any

from tests.lanes.script import Conversation, answer, ask, conversation, counts, later, no_clock, origin
from tests.rfc.common_steps import EDGE, FRESH_60, MISS, STORED, hit, nothing_is_stored, proxy_status

BYPASSED = "Cache-Status: secondhand; fwd=bypass; detail=unkeyed-input"

TUNNEL = dict.fromkeys(("https", "http2"), "in this lane, CONNECT is refused")


def _odd(title: str, *request: str, target: str = "/a", **more: Any) -> Conversation:
    return conversation(
        f"an error in response to an unusual request is not stored: {title}",
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
        f"with content_type_match, {kind or 'no media type'} under {path} is {'stored' if stored else 'not stored'}",
        "SEC-06",
        ask(f"GET {path}"),
        origin("200 OK", FRESH_60, *([f"Content-Type: {kind}"] if kind else [])),
        answer("200", STORED if stored else MISS),
        *([] if stored else [counts("not_stored.content-type")]),
        settings={"cache": {"content_type_match": True}},
    )


CONVERSATIONS = [
    # ---- fields that are in no cache key
    *(
        conversation(
            f"a request with a field that can change the response and is in no key bypasses the cache: {field}",
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
            "X_Forwarded_Host: evil.example",
            "X-Forwarded.Host: evil.example",
            "Front-End-Https: on",
            "X-Envoy-Original-Path: /other",
            "X-Middleware-Prefetch: 1",
            "Proxy: evil.example",
        )
    ),
    conversation(
        "X-Forwarded-For does not bypass the cache: a response that may be stored is not asked for in its name",
        "SEC-04",
        ask("GET /a", "X-Forwarded-For: 192.0.2.1", "X_Forwarded_For: 192.0.2.1", "Forwarded: for=192.0.2.1"),
        origin("200 OK", FRESH_60, saw=("no X-Forwarded-For", "no X_Forwarded_For", "no Forwarded")),
        answer("200", STORED),
        ask("GET /a"),
        answer("203", hit(60)),
        ask("POST /a", "X-Forwarded-For: 192.0.2.1", body="order"),
        origin("403 Forbidden", saw="X-Forwarded-For: 192.0.2.1"),
        answer("403"),
    ),
    *(
        conversation(
            f"a response to a POST with a field that can change it is not stored for later requests: {field}",
            "SEC-04",
            ask("POST /a", field, body="order"),
            origin("200 OK", FRESH_60, "Content-Location: /a", body="poison", saw=field),
            answer("200", body="poison"),
            counts("not_stored.unkeyed-input"),
            *nothing_is_stored(),
        )
        for field in ("X-Forwarded-Host: evil.example", "X-Forwarded-For: evil.example")
    ),
    conversation(
        "a field that a server may take for one that Vary names keeps the response from the store",
        "SEC-04",
        ask("GET /a", "User_Agent: evil", "User-Agent: good"),
        origin("200 OK", FRESH_60, "Vary: User-Agent", body="poison", saw="User_Agent: evil"),
        answer("200", MISS, body="poison"),
        counts("not_stored.unkeyed-input"),
        ask("GET /a", "User-Agent: good", "X_Other: 1"),
        origin("200 OK", FRESH_60, "Vary: User-Agent", body="wholesome"),
        answer("200", STORED, body="wholesome"),
    ),
    conversation(
        "in edge mode, fields like X-Forwarded-Host are removed, and the request does not bypass the cache",
        "SEC-04",
        ask("GET /a", "X-Forwarded-Host: evil.example", "X-Forwarded-For: 192.0.2.1", "User_Agent: evil"),
        origin("200 OK", FRESH_60, saw=("X-Forwarded-Host: {authority}", "no X-Forwarded-For", "no User_Agent")),
        answer("200", STORED),
        ask("GET /a", "X-Rewrite-URL: /b"),
        answer("203", hit(60)),
        ask("POST /a", "X-Forwarded-Host: evil.example", "X-Forwarded-For: 1.2.3.4", "User_Agent: evil", body="order"),
        origin("403 Forbidden", saw=("X-Forwarded-Host: {authority}", "no X-Forwarded-For", "no User_Agent")),
        answer("403"),
        settings={"edge": "http://127.0.0.1:8000"},
        unsupported=EDGE,
    ),
    # ---- requests that provoke an error
    _odd("a head of more than 8 KiB", "X-Long: " + "x" * 8_000, "X-More: " + "x" * 200),
    _odd("a malformed range", "Range: bytes=9-1x"),
    _odd("a malformed range after many empty ones, which took hours to read", "Range: bytes=0-" + ", " * 1000 + "x"),
    _odd("another range unit", "Range: pages=1-2"),
    _odd(
        "a control character",
        "X-Bell: ding\x07dong",
        unsupported=dict.fromkeys(("http", "https", "http2"), "the parser of the listener refuses it"),
    ),
    conversation(
        "an error in response to a usual request is stored",
        "SEC-05",
        ask("GET /a", "Range: bytes=0-1, -5,9-", "X-Long: " + "x" * 7_000),
        origin("404 Not Found", FRESH_60),
        answer("404", STORED),
        ask("GET /a"),
        answer("404", hit(60)),
    ),
    # ---- the extension of the path
    conversation(
        "the extension of the path does not make a response storable",
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
        "with content_type_match, an error is stored under any path",
        "SEC-06",
        ask("GET /a.css"),
        origin("404 Not Found", FRESH_60, "Content-Type: text/html"),
        answer("404", STORED),
        settings={"cache": {"content_type_match": True}},
    ),
    # ---- what the response time reveals
    conversation(
        "with a partition by site, one site does not get the copies of another",
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
        "a partition by user applies to background revalidations too",
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
    # ---- targets that a proxy on a public address refuses
    conversation(
        "a proxy on a public address refuses targets on its own machine",
        "SEC-15",
        ask("GET /a"),
        answer("502", proxy_status("destination_ip_prohibited..."), body="...reason: target\n"),
        counts("refused.target"),
        settings={"listen": "0.0.0.0:0"},
        unsupported=TUNNEL,
    ),
    conversation(
        "a proxy on a public address forwards to its own machine if allowed_targets names it",
        "SEC-15",
        ask("GET /a"),
        origin("200 OK", FRESH_60),
        answer("200", STORED),
        settings={"listen": "0.0.0.0:0", "origin": {"allowed_targets": ["127.0.0.1"]}},
        unsupported=TUNNEL,
    ),
    # ---- responses that may be for this proxy only
    conversation(
        "with a client certificate of this proxy, only responses marked as shareable are stored",
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
        "if the clock cannot be right, every use is validated first",
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
