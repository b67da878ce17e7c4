"""No-Vary-Search: queries that are equivalent."""

from tests.lanes.script import Conversation, answer, ask, conversation, origin, purge
from tests.rfc.common_steps import FRESH_60, MISS, STORED, VALIDATED, hit

ON = {"cache": {"no_vary_search": True}}


def _same(value: str, stored: str, *targets: str) -> Conversation:
    return conversation(
        f"No-Vary-Search: {value}: {', '.join(targets)} get the copy of {stored}",
        "KEY-24",
        ask(f"GET {stored}"),
        origin("200 OK", FRESH_60, f"No-Vary-Search: {value}", body="one"),
        answer("200", STORED),
        *(step for target in targets for step in (ask(f"GET {target}"), answer("203", hit(60), body="one"))),
        settings=ON,
    )


def _another(value: str, stored: str, target: str, fwd: str = "vary-miss") -> Conversation:
    return conversation(
        f"No-Vary-Search: {value}: {target} does not get the copy of {stored}",
        "KEY-24",
        ask(f"GET {stored}"),
        origin("200 OK", FRESH_60, f"No-Vary-Search: {value}", body="one"),
        answer("200", STORED),
        ask(f"GET {target}"),
        origin("200 OK", FRESH_60, body="two"),
        answer("200", f"Cache-Status: secondhand; fwd={fwd}; stored", body="two"),
        ask(f"GET {stored}"),
        answer("203", hit(60), body="one"),
        settings=ON,
    )


CONVERSATIONS = [
    conversation(
        "No-Vary-Search is ignored unless it is switched on",
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
        _another(value, "/a?b=1&c=2", "/a?c=2&b=1", "uri-miss")
        for value in (
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
        "of two equivalent copies, the one with the exact URI is used",
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
        "an invalidation or a purge applies to the copies of equivalent URIs too",
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
        "after a 304 with another No-Vary-Search, the copy answers by the new value",
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
        answer("200", "Cache-Status: secondhand; fwd=vary-miss; detail=no-store"),
        settings=ON,
    ),
]
