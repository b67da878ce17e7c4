"""Forwarding: fields that are forwarded or removed, and requests that are refused (RFC 9110 §7.6)."""

from tests.lanes.script import answer, ask, conversation, origin
from tests.lanes.unsupported import OTHER_FRAMING
from tests.rfc.common_steps import FRESH_60, MISS, STORED, hit, proxy_status

TUNNEL = "Host can differ from the target only in a tunnel"
INSIDE = {"engine": TUNNEL, "responder": TUNNEL, "http": TUNNEL}
BORDER = "the request is refused before it reaches the cache"

CONVERSATIONS = [
    conversation(
        "hop-by-hop fields are not forwarded, and Via is appended to that of other proxies",
        "META-01",
        "META-09",
        "STORE-11",
        ask(
            "GET /a",
            "Connection: X-Hop, Keep-Alive",
            "X-Hop: 1",
            "Keep-Alive: timeout=5",
            "Proxy-Connection: keep-alive",
            "X-End: 1",
            "Via: 1.0 before",
        ),
        origin(
            "200 OK",
            FRESH_60,
            "Via: 1.1 behind",
            saw=(
                "no X-Hop",
                "no Keep-Alive",
                "no Proxy-Connection",
                "X-End: 1",
                "Via: 1.0 before, 1.1 secondhand-{instance}",
            ),
        ),
        answer("200", STORED, "Via: 1.1 behind, 1.1 secondhand"),
    ),
    conversation(
        "the origin is asked for trailers if the client takes them",
        "META-19",
        ask("GET /a", "TE: trailers"),
        origin("200 OK", FRESH_60, saw="TE: trailers"),
        answer("200", STORED),
        ask("GET /b"),
        origin("200 OK", FRESH_60, saw="no TE"),
        answer("200", STORED),
    ),
    conversation(
        "Connection cannot remove the fields for framing, routing or authentication",
        "META-09",
        ask("GET /a", "Connection: Cookie, Authorization", "Cookie: me=1", "Authorization: Basic c2VjcmV0"),
        origin("200 OK", saw=("Cookie: me=1", "Authorization: Basic c2VjcmV0")),
        answer("200", MISS),
    ),
    conversation(
        "the Cache-Control and Pragma of the client are forwarded unchanged",
        "META-08",
        ask("GET /a", "Cache-Control: max-stale=5, shiny", "Pragma: foo"),
        origin("200 OK", FRESH_60, saw=("Cache-Control: max-stale=5, shiny", "Pragma: foo")),
        answer("200", STORED),
    ),
    conversation(
        "WWW-Authenticate is relayed unchanged",
        "AUTH-06",
        ask("GET /a"),
        origin("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"', body="who?"),
        answer("401", MISS, 'WWW-Authenticate: Basic realm="x"', body="who?"),
    ),
    conversation(
        "a request that names this proxy in Via is a loop",
        "META-02",
        "META-14",
        ask("GET /a", "Via: 1.1 elsewhere, 1.1 secondhand-{instance}"),
        answer(
            "502 Bad Gateway",
            "no Cache-Status",
            proxy_status("proxy_loop_detected..."),
            body="...reason: proxy-loop-detected\n",
        ),
        ask("POST /a", "Via: 1.1 secondhand-{instance}"),
        answer("502", proxy_status("proxy_loop_detected...")),
        ask("GET /a", "Via: 1.1 secondhand-another"),
        origin("200 OK"),
        answer("200", MISS),
    ),
    conversation(
        "an absolute request target replaces Host",
        "KEY-06",
        ask("GET /a", "Host: elsewhere.example"),
        origin("200 OK", FRESH_60, saw="Host: {authority}"),
        answer("200", STORED),
        ask("GET /a"),
        answer("203", hit(60)),
        unsupported=dict.fromkeys(
            ("engine", "responder", "https", "http2"), "only an http request to a proxy has an absolute target"
        ),
    ),
    conversation(
        "in a tunnel, a request for another Host bypasses the cache",
        "KEY-07",
        ask("GET /a"),
        origin("200 OK", FRESH_60, body="ours"),
        answer("200", STORED, body="ours"),
        ask("GET /a", "Host: elsewhere.example"),
        origin("200 OK", FRESH_60, body="theirs", saw="Host: elsewhere.example"),
        answer("200", "Cache-Status: secondhand; fwd=bypass; detail=host-mismatch", body="theirs"),
        ask("GET /a"),
        answer("203", hit(60), body="ours"),
        unsupported=INSIDE,
    ),
    conversation(
        "in a tunnel, a request for another Host is refused with strict_host",
        "KEY-07",
        ask("GET /a", "Host: elsewhere.example"),
        answer("400 Bad Request", "no Cache-Status", body="...reason: strict-host\n"),
        unsupported=INSIDE,
        settings={"cache": {"strict_host": True}},
    ),
    conversation(
        "a request for a WebSocket bypasses the cache",
        "STATUS-32",
        ask("GET /a"),
        origin("200 OK", FRESH_60, body="copy"),
        answer("200", STORED, body="copy"),
        ask("GET /a", "Connection: Upgrade", "Upgrade: websocket"),
        origin("200 OK", FRESH_60, body="not switching"),
        answer("200", "Cache-Status: secondhand; fwd=bypass; detail=upgrade", body="not switching"),
    ),
    conversation(
        "an offer to upgrade to HTTP/2 is ignored, and the copy is sent",
        "STATUS-32",
        ask("GET /a", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"),
        origin("200 OK", FRESH_60, body="copy", saw=("no Upgrade", "no Connection", "no HTTP2-Settings")),
        answer("200", STORED, body="copy"),
        ask("GET /a", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"),
        answer("203", hit(60), body="copy"),
    ),
    conversation(
        "end-to-end fields of the origin, like X-Cache, are stored and relayed",
        "META-07",
        ask("GET /a"),
        origin("200 OK", FRESH_60, "X-Cache: HIT", 'Alt-Svc: h3=":443"', 'Clear-Site-Data: "cache"'),
        answer("200", STORED, "X-Cache: HIT"),
        ask("GET /a"),
        answer("203", hit(60), "X-Cache: HIT", 'Alt-Svc: h3=":443"', 'Clear-Site-Data: "cache"'),
    ),
    conversation(
        "a request target with a fragment is refused",
        "KEY-08",
        "STATUS-33",
        ask("GET /a#b"),
        answer("400 Bad Request", "no Cache-Status", body="...reason: malformed-request\n"),
        unsupported={"engine": BORDER, "responder": BORDER},
    ),
    conversation(
        "a request with both Content-Length and Transfer-Encoding is refused",
        "SEC-01",
        ask("POST /a", "Content-Length: 5", "Transfer-Encoding: chunked", body="0\r\n\r\n"),
        answer("400"),
        unsupported={"engine": BORDER, "responder": BORDER, "http2": OTHER_FRAMING},
    ),
]
