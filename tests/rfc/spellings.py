"""Spellings of one URL: each has copies of its own, and a purge or an invalidation concerns all (RFC 9110 §4.2.3)."""

from tests.lanes.script import (
    Conversation,
    Step,
    answer,
    ask,
    conversation,
    counts,
    later,
    origin,
    purge,
)
from tests.rfc.common_steps import FRESH_60, MISS, STORED, hit

VARY_MISS = "Cache-Status: secondhand; fwd=vary-miss; stored"


def _two_copies(what: str, one: str, other: str) -> Conversation:
    return conversation(
        f"two spellings of a URL have different copies, and are forwarded as they are: {what}",
        "KEY-03",
        "SEC-07",
        ask(f"GET {one}"),
        origin("200 OK", FRESH_60, 'ETag: "1"', body="one", saw=f"GET {one}"),
        answer("200", STORED, body="one"),
        ask(f"GET {other}"),
        # the tag of another spelling's copy says nothing about this one
        origin("200 OK", FRESH_60, 'ETag: "1"', body="other", saw=(f"GET {other}", "no If-None-Match")),
        answer("200", STORED, body="other"),
        ask(f"GET {one}"),
        answer("203", hit(60), body="one"),
        ask(f"GET {other}"),
        answer("203", hit(60), body="other"),
    )


def _both_stored() -> tuple[Step, ...]:
    return (
        ask("GET /a"),
        origin("200 OK", FRESH_60, body="one"),
        answer("200", STORED),
        ask("GET /%61"),
        origin("200 OK", FRESH_60, body="other"),
        answer("200", STORED),
    )


CONVERSATIONS = [
    _two_copies("an escape of a letter", "/%61", "/a"),
    _two_copies("an escape of a tilde", "/%7Euser", "/~user"),
    _two_copies("an escape of a tilde in the query", "/a?b=%7E", "/a?b=~"),
    _two_copies("letter case of an escape", "/a%2fb", "/a%2Fb"),
    _two_copies("escaped dot segments", "/a/%2e%2e/b", "/a/../b"),
    _two_copies("dot segments", "/a/../b", "/b"),
    _two_copies("a segment of one dot", "/./a", "/a"),
    _two_copies("an empty segment", "//a", "/a"),
    _two_copies("a parameter of a path segment", "/a;b", "/a"),
    _two_copies("a backslash", "/a\\b", "/a/b"),
    _two_copies("a percent sign without digits", "/%zz%61", "/%zza"),
    _two_copies("an empty query", "/a?", "/a"),
    conversation(
        "an unsafe request invalidates the copies of every spelling of its URL",
        "INVAL-01",
        "KEY-02",
        *_both_stored(),
        ask("POST /%61", body="new"),
        origin("204 No Content"),
        answer("204"),
        *(
            step
            for target in ("/a", "/%61")
            for step in (
                ask(f"GET {target}"),
                origin("200 OK", body="new", saw=f"GET {target}"),
                answer("200", body="new"),
            )
        ),
    ),
    conversation(
        "a purge of one spelling of a URL removes the copies of every spelling",
        "INVAL-09",
        "KEY-02",
        *_both_stored(),
        purge("/%61"),
        *(
            step
            for target in ("/a", "/%61")
            for step in (
                ask(f"GET {target}"),
                origin("200 OK", body="new", saw=f"GET {target}"),
                answer("200", MISS, body="new"),
            )
        ),
    ),
    # ---- the limit of variants
    conversation(
        "variants beyond the limit are passed on, and one a second is stored in place of the least recently used",
        "KEY-13",
        "SEC-12",
        *(
            step
            for number in range(32)
            for step in (
                ask("GET /a", f"User-Agent: {number}"),
                origin("200 OK", FRESH_60, "Vary: User-Agent", body=str(number)),
                answer("200", body=str(number)),
            )
        ),
        *(
            step
            for number in (32, 33)
            for step in (
                ask("GET /a", f"User-Agent: {number}"),
                origin("200 OK", FRESH_60, "Vary: User-Agent", body=str(number)),
                answer("200", "Cache-Status: secondhand; fwd=vary-miss; detail=too-many-variants", body=str(number)),
            )
        ),
        counts("not_stored.too-many-variants", 2),
        *(
            step
            for number in range(32)
            for step in (ask("GET /a", f"User-Agent: {number}"), answer("203", hit(60), body=str(number)))
        ),
        later(1),
        ask("GET /a", "User-Agent: 34"),
        origin("200 OK", FRESH_60, "Vary: User-Agent", body="34"),
        answer("200", VARY_MISS, body="34"),
        ask("GET /a", "User-Agent: 34"),
        answer("203", hit(60), body="34"),
    ),
]
