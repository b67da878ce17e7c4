"""Responses with Set-Cookie, and requests with Cookie."""

from tests.lanes.script import answer, ask, conversation, counts, origin
from tests.rfc.common_steps import FRESH_60, MISS, STORED, hit, not_stored

CONVERSATIONS = [
    not_stored(
        "Set-Cookie without an explicit lifetime: not stored",
        "STORE-22",
        "Set-Cookie: a=1",
        "Last-Modified: {now-9999}",
    ),
    conversation(
        "a response with Set-Cookie and an explicit lifetime is stored, and sent with every line of it",
        "STORE-22",
        ask("GET /a"),
        origin("200 OK", FRESH_60, "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2"),
        answer("200", STORED, "Set-Cookie: a=1; Path=/, b=2"),
        ask("GET /a"),
        answer("203", hit(60), "Set-Cookie: a=1; Path=/, b=2"),
    ),
    conversation(
        "with set_cookie = strip, Set-Cookie is not stored",
        "STORE-22",
        ask("GET /a"),
        origin("200 OK", FRESH_60, "Set-Cookie: a=1"),
        answer("200", STORED, "Set-Cookie: a=1"),
        ask("GET /a"),
        answer("203", hit(60), "no Set-Cookie"),
        settings={"cache": {"set_cookie": "strip"}},
    ),
    conversation(
        "with set_cookie = bypass, a response with Set-Cookie is not stored",
        "STORE-22",
        ask("GET /a"),
        origin("200 OK", FRESH_60, "Set-Cookie: a=1"),
        answer("200", MISS),
        counts("not_stored.set-cookie"),
        settings={"cache": {"set_cookie": "bypass"}},
    ),
    conversation(
        "a request with Cookie gets the copy",
        "STORE-23",
        "KEY-12",
        ask("GET /a", "Cookie: me=1"),
        origin("200 OK", FRESH_60, saw="Cookie: me=1"),
        answer("200", STORED),
        ask("GET /a", "Cookie: me=2"),
        answer("203", hit(60)),
    ),
    conversation(
        "a request with a cookie in bypass_cookies bypasses the cache",
        "STORE-23",
        ask("GET /a"),
        origin("200 OK", FRESH_60, body="everybody's"),
        answer("200", STORED, body="everybody's"),
        ask("GET /a", "Cookie: theme=dark; session=1"),
        origin("200 OK", FRESH_60, body="mine"),
        answer("200", "Cache-Status: secondhand; fwd=bypass; detail=bypass-cookie", body="mine"),
        ask("GET /a", "Cookie: theme=dark"),
        answer("203", hit(60), body="everybody's"),
        settings={"cache": {"bypass_cookies": ["session"]}},
    ),
]
