"""Lines that many conversations have in common."""

STORED = "Cache-Status: secondhand; fwd=uri-miss; stored"
MISS = "Cache-Status: secondhand; fwd=uri-miss"
VALIDATED = "Cache-Status: secondhand; fwd=stale; fwd-status=304"
REPLACED = "Cache-Status: secondhand; fwd=stale; stored"

FRESH_60 = "Cache-Control: max-age=60"


def hit(ttl: int, detail: str = "") -> str:
    """Say that an answer came from a copy that is fresh for `ttl` more seconds."""
    return f"Cache-Status: secondhand; hit; ttl={ttl}" + (f"; detail={detail}" if detail else "")


def proxy_status(error: str) -> str:
    """Begin the Proxy-Status of an error of the proxy's own."""
    return f"Proxy-Status: secondhand; error={error}"
