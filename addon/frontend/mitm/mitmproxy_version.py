"""The releases of mitmproxy that the cache is tested with."""

from __future__ import annotations

from mitmproxy import version
from packaging.version import Version

OLDEST, NEXT = Version("12.2"), Version("12.4")
"""The oldest tested release, and the first one after the newest tested one, as in pyproject.toml."""


def untested(found: str = version.VERSION) -> str | None:
    """Return a sentence about a mitmproxy that the cache was not tested with; None if it was."""
    if OLDEST <= Version(found) < NEXT:
        return None
    return (
        f"mitmproxy {found} was not tested with secondhand: expected {OLDEST} or later, before {NEXT};"
        " what follows may be wrong"
    )
