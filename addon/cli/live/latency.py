"""Times of responses by histogram, as text."""

from __future__ import annotations

from collections.abc import Sequence

from addon.runtime.metrics.histogram import BOUNDS


def quantile(counts: Sequence[float], part: float) -> str:
    """Return within which time a part of the responses was sent, as text; a dash if there was none."""
    total = sum(counts)
    seen = 0.0
    for count, bound in zip(counts, BOUNDS, strict=False):
        seen += count
        if total and seen >= part * total:
            return f"≤ {bound_text(bound)}"
    return f"> {bound_text(BOUNDS[-1])}" if total else "-"


def bound_text(seconds: float) -> str:
    """Return the bound of a bucket: `2.5 ms`, `10 s`."""
    return f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"


def bucket_names() -> list[str]:
    """Return the names of all buckets, the shortest times first."""
    return [*(f"≤ {bound_text(bound)}" for bound in BOUNDS), f"> {bound_text(BOUNDS[-1])}"]
