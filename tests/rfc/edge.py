"""An edge: what it forwards to its origin, and what it answers itself."""

from tests.lanes.script import Conversation, answer, ask, conversation, later, origin
from tests.rfc.common_steps import EDGE, FRESH_60, MISS, STORED, hit, proxy_status

AT_EDGE = {"edge": "http://127.0.0.1:8000"}

CONVERSATIONS: tuple[Conversation, ...] = (
    conversation(
        "a request that names this edge in CDN-Loop is a loop",
        "EDGE-02",
        ask("GET /a", "CDN-Loop: another; id=1, secondhand-{instance}; id=2"),
        answer("502 Bad Gateway", proxy_status("proxy_loop_detected..."), body="...reason: proxy-loop-detected\n"),
        ask("GET /a", "CDN-Loop: another; id=1", "CDN-Loop: secondhand-another"),
        origin("200 OK", saw="CDN-Loop: another; id=1, secondhand-another, secondhand-{instance}"),
        answer("200", MISS),
        settings=AT_EDGE,
        unsupported=EDGE,
    ),
    conversation(
        "without Via, CDN-Loop shows loops",
        "EDGE-02",
        ask("GET /a"),
        origin("200 OK", saw=("no Via", "CDN-Loop: secondhand-{instance}")),
        answer("200", MISS),
        ask("GET /a", "CDN-Loop: secondhand-{instance}"),
        answer("502 Bad Gateway", proxy_status("proxy_loop_detected...")),
        settings={"origin": {"via": "off"}},
    ),
    conversation(
        "an edge forwards registered methods only, and deletes nothing for a client that may not",
        "EDGE-03",
        ask("GET /a"),
        origin("200 OK", FRESH_60),
        answer("200", STORED),
        *(
            step
            for method in ("ban", "purge", "DEBUG", "TRACE")
            for step in (ask(f"{method} /a"), answer("405 Method Not Allowed", "no Cache-Status", "Allow: ACL, ..."))
        ),
        *(
            step
            for method in ("PURGE", "BAN")
            for step in (
                ask(f"{method} /a"),
                answer("403 Forbidden", "no Cache-Status", body="...reason: purge\n"),
            )
        ),
        ask("PROPFIND /a", "Depth: 1"),
        origin("207 Multi-Status", saw="PROPFIND /a"),
        answer("207"),
        ask("GET /a"),
        answer("203", hit(60)),
        settings=AT_EDGE,
        unsupported=EDGE,
    ),
    conversation(
        "at an edge, a client's reload is answered with a copy as long as it is fresh",
        "EDGE-04",
        ask("GET /a"),
        origin("200 OK", FRESH_60, 'ETag: "1"'),
        answer("200", STORED),
        ask("GET /a", "Cache-Control: no-cache", "Pragma: no-cache"),
        answer("203", hit(60)),
        ask("GET /a", "Cache-Control: max-age=0"),
        answer("203", hit(60)),
        later(61),
        ask("GET /a", "Cache-Control: no-cache"),
        origin("304 Not Modified", FRESH_60, saw='If-None-Match: "1"'),
        answer("203"),
        settings=AT_EDGE,
        unsupported=EDGE,
    ),
)
