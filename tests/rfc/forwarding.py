"""What is passed on, what is taken off, and where requests must not go (RFC 9110 §7.6)."""

from tests.lanes.script import answer, ask, conversation, origin
from tests.rfc.words import FRESH_60, MISS, STORED, hit, proxy_status

TUNNEL = "only a tunnel has an authority apart from Host"
INSIDE = {"engine": TUNNEL, "responder": TUNNEL, "http": TUNNEL}
BORDER = "it is refused before the cache sees it"

CONVERSATIONS = [
    conversation(
        "fields of one hop go no further, and Via is appended to what others said",
        "META-01",
        "META-09",
        "STORE-11",
        ask(
            "GET /a",
            "Connection: X-Hop, Keep-Alive",
            "X-Hop: 1",
            "Keep-Alive: timeout=5",
            "Proxy-Connection: keep-alive",
            "TE: trailers",
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
                "no TE",
                "X-End: 1",
                "Via: 1.0 before, 1.1 secondhand-{instance}",
            ),
        ),
        answer("200", STORED, "Via: 1.1 behind, 1.1 secondhand"),
    ),
    conversation(
        "Connection may not take framing, routing or identity away",
        "META-09",
        ask("GET /a", "Connection: Cookie, Authorization", "Cookie: me=1", "Authorization: Basic c2VjcmV0"),
        origin("200 OK", saw=("Cookie: me=1", "Authorization: Basic c2VjcmV0")),
        answer("200", MISS),
    ),
    conversation(
        "what the client says of caching goes forward as it is",
        "META-08",
        ask("GET /a", "Cache-Control: max-stale=5, shiny", "Pragma: foo"),
        origin("200 OK", FRESH_60, saw=("Cache-Control: max-stale=5, shiny", "Pragma: foo")),
        answer("200", STORED),
    ),
    conversation(
        "WWW-Authenticate passes unchanged",
        "AUTH-06",
        ask("GET /a"),
        origin("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"', body="who?"),
        answer("401", MISS, 'WWW-Authenticate: Basic realm="x"', body="who?"),
    ),
    conversation(
        "a request that has been here before is a loop",
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
        "the absolute form of the target replaces Host",
        "KEY-06",
        ask("GET /a", "Host: elsewhere.example"),
        origin("200 OK", FRESH_60, saw="Host: {authority}"),
        answer("200", STORED),
        ask("GET /a"),
        answer("203", hit(60)),
        unseen=dict.fromkeys(
            ("engine", "responder", "https", "http2"), "a URL is absolute only in clear, towards a proxy"
        ),
    ),
    conversation(
        "inside a tunnel a Host that differs goes forward past the cache",
        "KEY-07",
        ask("GET /a"),
        origin("200 OK", FRESH_60, body="ours"),
        answer("200", STORED, body="ours"),
        ask("GET /a", "Host: elsewhere.example"),
        origin("200 OK", FRESH_60, body="theirs", saw="Host: elsewhere.example"),
        answer("200", "Cache-Status: secondhand; fwd=bypass; detail=host-mismatch", body="theirs"),
        ask("GET /a"),
        answer("203", hit(60), body="ours"),
        unseen=INSIDE,
    ),
    conversation(
        "inside a tunnel a Host that differs is refused with strict_host",
        "KEY-07",
        ask("GET /a", "Host: elsewhere.example"),
        answer("400 Bad Request", "no Cache-Status", body="...reason: strict-host\n"),
        unseen=INSIDE,
        settings={"cache": {"strict_host": True}},
    ),
    conversation(
        "a request to upgrade goes round the cache",
        "STATUS-32",
        "case 21",
        ask("GET /a"),
        origin("200 OK", FRESH_60, body="copy"),
        answer("200", STORED, body="copy"),
        ask("GET /a", "Connection: Upgrade", "Upgrade: something/1"),
        origin("200 OK", FRESH_60, body="not switching", saw=("no Upgrade", "no Connection")),
        answer("200", "Cache-Status: secondhand; fwd=bypass; detail=upgrade", body="not switching"),
    ),
    conversation(
        "end-to-end fields that look like ours are the origin's",
        "META-07",
        ask("GET /a"),
        origin("200 OK", FRESH_60, "X-Cache: HIT", 'Alt-Svc: h3=":443"', 'Clear-Site-Data: "cache"'),
        answer("200", STORED, "X-Cache: HIT"),
        ask("GET /a"),
        answer("203", hit(60), "X-Cache: HIT", 'Alt-Svc: h3=":443"', 'Clear-Site-Data: "cache"'),
    ),
    conversation(
        "a fragment in a target is refused",
        "KEY-08",
        "STATUS-33",
        ask("GET /a#b"),
        answer("400 Bad Request", "no Cache-Status", body="...reason: malformed-request\n"),
        unseen={"engine": BORDER, "responder": BORDER},
    ),
    conversation(
        "two lengths for one request are refused",
        "SEC-01",
        ask("POST /a", "Content-Length: 5", "Transfer-Encoding: chunked", body="0\r\n\r\n"),
        answer("400"),
        unseen={"engine": BORDER, "responder": BORDER, "http2": "HTTP/2 frames by itself"},
    ),
]
