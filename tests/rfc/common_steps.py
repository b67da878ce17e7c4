"""Field lines and steps that several files of conversations share."""

from tests.lanes.script import Step, answer, ask, origin

STORED = "Cache-Status: secondhand; fwd=uri-miss; stored"
MISS = "Cache-Status: secondhand; fwd=uri-miss"
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
