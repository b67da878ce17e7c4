"""Cookies: what is stored of a response that sets them, and which copies a request with Cookie gets."""

from typing import Any

from tests.lanes.script import Conversation, answer, ask, conversation, counts, later, origin
from tests.rfc.common_steps import FRESH_60, MISS, STORED, VALIDATED, hit

SET_COOKIE = ("Set-Cookie: a=1; Path=/", "Set-Cookie: b=2")
SENT = "Set-Cookie: a=1; Path=/, b=2"


def _not_stored(title: str, *fields: str, settings: dict[str, Any] | None = None) -> Conversation:
    return conversation(
        f"a response with Set-Cookie is not stored: {title}",
        "STORE-22",
        ask("GET /a"),
        origin("200 OK", *fields, *SET_COOKIE, body="first"),
        answer("200", MISS, SENT, body="first"),
        counts("not_stored.set-cookie"),
        ask("GET /a"),
        origin("200 OK", *fields, body="second", saw="no If-None-Match"),
        answer("200", "no Set-Cookie", body="second"),
        settings=settings,
    )


def _stripped(title: str, control: str, settings: dict[str, Any] | None = None) -> Conversation:
    return conversation(
        f"a response with Set-Cookie is stored without its cookies: {title}",
        "STORE-22",
        ask("GET /a"),
        origin("200 OK", f"Cache-Control: {control}", *SET_COOKIE),
        answer("200", STORED, SENT),
        ask("GET /a"),
        answer("203", hit(60), "no Set-Cookie"),
        settings=settings,
    )


CONVERSATIONS = [
    _not_stored("max-age alone", FRESH_60),
    _not_stored("Expires alone", "Expires: {now+60}"),
    _not_stored("must-revalidate", "Cache-Control: must-revalidate, max-age=60"),
    _not_stored("no explicit lifetime", "Last-Modified: {now-9999}"),
    _not_stored("no-cache", "Cache-Control: no-cache", 'ETag: "1"'),
    _not_stored(
        "set_cookie = store, and no explicit lifetime",
        "Last-Modified: {now-9999}",
        settings={"cache": {"set_cookie": "store"}},
    ),
    _not_stored("set_cookie = bypass", "Cache-Control: s-maxage=60", settings={"cache": {"set_cookie": "bypass"}}),
    _stripped("public", "public, max-age=60"),
    _stripped("s-maxage", "s-maxage=60"),
    _stripped("set_cookie = strip", "max-age=60", {"cache": {"set_cookie": "strip"}}),
    conversation(
        "with set_cookie = store and an explicit lifetime, Set-Cookie is stored, and sent with every line of it",
        "STORE-22",
        ask("GET /a"),
        origin("200 OK", FRESH_60, *SET_COOKIE),
        answer("200", STORED, SENT),
        ask("GET /a"),
        answer("203", hit(60), SENT),
        settings={"cache": {"set_cookie": "store"}},
    ),
    conversation(
        "a public response with Set-Cookie gets no heuristic lifetime, although its cookies are not stored",
        "STORE-22",
        "HEUR-06",
        ask("GET /a"),
        origin("200 OK", "Cache-Control: public", "Last-Modified: {now-9999}", *SET_COOKIE),
        answer("200", STORED, SENT),
        ask("GET /a"),
        origin("304 Not Modified"),
        answer("203", VALIDATED, "no Set-Cookie"),
    ),
    *(
        conversation(
            f"with set_cookie = {setting}, the Set-Cookie of a 304 reaches its client, and no other",
            "F304-09",
            ask("GET /a"),
            origin("200 OK", FRESH_60, 'ETag: "1"', body="hello"),
            answer("200", STORED, body="hello"),
            later(60),
            ask("GET /a"),
            origin("304 Not Modified", FRESH_60, 'ETag: "1"', "Set-Cookie: a=1"),
            answer("203", VALIDATED, "Set-Cookie: a=1", body="hello"),
            ask("GET /a"),
            answer("203", hit(60), "no Set-Cookie", body="hello"),
            settings={"cache": {"set_cookie": setting}},
        )
        for setting in ("auto", "strip", "bypass")
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
    conversation(
        "a cookie in bypass_cookies is found on each line of Cookie",
        "STORE-23",
        ask("GET /a", "Cookie: theme=dark", "Cookie: session=1"),
        origin("200 OK", FRESH_60, body="mine"),
        answer("200", "Cache-Status: secondhand; fwd=bypass; detail=bypass-cookie", body="mine"),
        settings={"cache": {"bypass_cookies": ["session"]}},
    ),
]
