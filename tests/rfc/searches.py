"""Queries that mean the same (No-Vary-Search)."""

from tests.lanes.script import Conversation, answer, ask, conversation, origin, purge
from tests.rfc.words import FRESH_60, MISS, STORED, VALIDATED, hit

ON = {"cache": {"no_vary_search": True}}


def _same(said: str, stored: str, *asked: str) -> Conversation:
    return conversation(
        f"No-Vary-Search: {said} makes {', '.join(asked)} the same as {stored}",
        "KEY-24",
        ask(f"GET {stored}"),
        origin("200 OK", FRESH_60, f"No-Vary-Search: {said}", body="one"),
        answer("200", STORED),
        *(step for target in asked for step in (ask(f"GET {target}"), answer("203", hit(60), body="one"))),
        settings=ON,
    )


def _another(said: str, stored: str, asked: str, fwd: str = "vary-miss") -> Conversation:
    return conversation(
        f"No-Vary-Search: {said} leaves {asked} another than {stored}",
        "KEY-24",
        ask(f"GET {stored}"),
        origin("200 OK", FRESH_60, f"No-Vary-Search: {said}", body="one"),
        answer("200", STORED),
        ask(f"GET {asked}"),
        origin("200 OK", FRESH_60, body="two"),
        answer("200", f"Cache-Status: secondhand; fwd={fwd}; stored", body="two"),
        ask(f"GET {stored}"),
        answer("203", hit(60), body="one"),
        settings=ON,
    )


CONVERSATIONS = [
    conversation(
        "No-Vary-Search counts for nothing where it is not switched on",
        "KEY-24",
        ask("GET /a?b=1"),
        origin("200 OK", FRESH_60, "No-Vary-Search: params"),
        answer("200", STORED),
        ask("GET /a?b=2"),
        origin("200 OK", FRESH_60),
        answer("200", STORED),
    ),
    _same("params", "/a?b=1", "/a?b=2", "/a", "/a?", "/a?c"),
    _same('params=("b" "c d")', "/a?b=1&e=1", "/a?e=1", "/a?e=1&b", "/a?c+d=1&e=1", "/a?c%20d=1&e=%31"),
    _same('params, except=("b")', "/a?b=1", "/a?b=1&c=2", "/a?c=3&b=1"),
    _same("key-order", "/a?b=1&c=2&b=3", "/a?c=2&b=1&b=3", "/a?b=1&b=3&c=2"),
    _same('key-order, params=("d")', "/a?b=1&c=2", "/a?d&c=2&b=1"),
    _same('key-order, params, except=("b" "c")', "/a?b=1&c=2", "/a?c=2&d&b=1"),
    _another('params, except=("b" "c")', "/a?b=1&c=2", "/a?c=2&b=1"),
    _another('params=("b")', "/a?b=1&e=1", "/a?b=1&e=2"),
    _another('params=("b")', "/a?c=1&d=1", "/a?d=1&c=1"),
    _another('params, except=("b")', "/a?b=1", "/a?b=2"),
    _another("key-order", "/a?b=1&b=2", "/a?b=2&b=1"),
    _another("params", "/a?b=1", "/c?b=1", "uri-miss"),
    *(
        _another(said, "/a?b=1&c=2", "/a?c=2&b=1", "uri-miss")
        for said in (
            "params=?0",
            "params=(b)",
            "params=1",
            "params=(",
            "key-order=?0",
            "key-order=1",
            'params, except="b"',
            'except=("b")',
            'params=("b"), except=("c")',
            'params, key-order="b"',
        )
    ),
    conversation(
        "of two that mean the same, the one of this very URI is taken",
        "KEY-24",
        ask("GET /a?b=1"),
        origin("200 OK", FRESH_60, body="one"),
        answer("200", STORED),
        ask("GET /a?b=2"),
        origin("200 OK", "Cache-Control: max-age=99", "No-Vary-Search: params", body="two"),
        answer("200", STORED),
        ask("GET /a?b=1"),
        answer("203", hit(60), body="one"),
        ask("GET /a?b=3"),
        answer("203", hit(99), body="two"),
        settings=ON,
    ),
    conversation(
        "what goes out of date, or is purged, takes those along that mean the same",
        "KEY-24",
        "INVAL-01",
        ask("GET /a?b=1"),
        origin("200 OK", FRESH_60, "No-Vary-Search: params", 'ETag: "1"'),
        answer("200", STORED),
        ask("DELETE /a?b=2"),
        origin("204 No Content"),
        answer("204"),
        ask("GET /a?b=1"),
        origin("304 Not Modified", 'ETag: "1"', saw='If-None-Match: "1"'),
        answer("203", "Cache-Status: secondhand; fwd=stale; fwd-status=304; detail=invalidated"),
        purge("/a?b=3"),
        ask("GET /a?b=1"),
        origin("200 OK", "Cache-Control: no-store"),
        answer("200", MISS),
        settings=ON,
    ),
    conversation(
        "a 304 that no longer says so leaves a copy for its own URI alone",
        "KEY-24",
        "F304-12",
        ask("GET /a?b=1"),
        origin("200 OK", "Cache-Control: max-age=0", "No-Vary-Search: params", 'ETag: "1"'),
        answer("200", STORED),
        ask("GET /a?b=2"),
        origin("304 Not Modified", FRESH_60, "No-Vary-Search: key-order", 'ETag: "1"', saw='If-None-Match: "1"'),
        answer("203", VALIDATED),
        ask("GET /a?b=2"),
        answer("203", hit(60)),
        ask("GET /a?b=1"),
        origin("200 OK", "Cache-Control: no-store"),
        answer("200", "Cache-Status: secondhand; fwd=vary-miss"),
        settings=ON,
    ),
]
