"""Field lines and steps that several files of conversations share."""

from tests.lanes.script import Conversation, Step, answer, ask, conversation, counts, origin

STORED = "Cache-Status: secondhand; fwd=uri-miss; stored"
MISS = "Cache-Status: secondhand; fwd=uri-miss; detail=..."
"""Of a response that was not stored; its detail says why."""
VALIDATED = "Cache-Status: secondhand; fwd=stale; fwd-status=304"
REPLACED = "Cache-Status: secondhand; fwd=stale; stored"

FRESH_60 = "Cache-Control: max-age=60"


def hit(ttl: int, detail: str = "") -> str:
    """Return the Cache-Status of a response from a copy, with `ttl` remaining seconds of freshness."""
    return f"Cache-Status: secondhand; hit; ttl={ttl}" + (f"; detail={detail}" if detail else "")


def proxy_status(error: str) -> str:
    """Return the beginning of Proxy-Status for an error that the proxy generates."""
    return f"Proxy-Status: secondhand; error={error}"


def nothing_is_stored() -> tuple[Step, ...]:
    """Return steps that show that /a has no stored response: a request for it is forwarded without preconditions."""
    return (
        ask("GET /a"),
        origin("200 OK", body="whole", saw=("no If-None-Match", "no Range")),
        answer("200", MISS, body="whole"),
    )


def stored_copy(control: str = "max-age=60", *fields: str) -> tuple[Step, ...]:
    """Return steps that store a copy of /a with an entity tag."""
    return (
        ask("GET /a"),
        origin("200 OK", f"Cache-Control: {control}", 'ETag: "1"', *fields, body="hello"),
        answer("200", STORED, body="hello"),
    )


def not_stored(title: str, row: str, *fields: str, request: tuple[str, ...] = (), why: str = "") -> Conversation:
    """Return a conversation in which a response is relayed and not stored; `why` is the name of the reason."""
    relayed = MISS.replace("...", why) if why else MISS
    return conversation(
        title,
        row,
        ask("GET /a", *request),
        origin("200 OK", *fields, body="first"),
        answer("200", relayed, body="first"),
        *([counts(f"not_stored.{why}")] if why else []),
        ask("GET /a", *request),
        origin("200 OK", *fields, body="second"),
        answer("200", relayed, body="second"),
    )


EDGE = dict.fromkeys(
    ("responder", "http", "https", "http2"),
    "edge mode needs the address of its origin before it starts, and the origin of this lane starts later",
)
"""Lanes that cannot show a conversation of an edge."""
