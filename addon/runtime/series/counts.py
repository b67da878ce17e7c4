"""The numbers that the time series have, and how they follow from the counters of a proxy.

Each response to a client is one of the first six.
"""

from __future__ import annotations

from collections.abc import Mapping

from addon.runtime.counters import members_of

COUNTS = {
    "hit": "responses from a fresh copy, without a request to the origin",
    "stale": "responses from a stale copy, including those after an error of the origin",
    "validated": "responses from a copy that the origin has confirmed",
    "miss": "responses that had to wait for content from the origin, also if another request had asked for it",
    "bypass": "responses to requests that no copy may answer",
    "error": "errors of the proxy's own",
    "bytes_from_copies": "bytes of content sent from copies, and to requests that shared the fetch of another one",
    "bytes_from_origins": "bytes of content received from origins",
    "milliseconds_saved": "time that origins had taken for the responses that were now sent from copies",
}
"""All numbers, in the order in which `counts_of` returns them."""

OUTCOMES = tuple(COUNTS)[:6]
"""Those that are responses."""

_NO_ERRORS = ("refused.redirect",)

type Counts = tuple[int, ...]

NOTHING: Counts = (0,) * len(COUNTS)


def counts_of(counters: Mapping[str, int]) -> Counts:
    """Return the numbers that follow from the counters of `addon.runtime.counters`."""
    count = counters.get
    stale, validated = count("stale", 0), count("validated", 0)
    hits = count("hits", 0) - count("hits.stale", 0)
    bypassed = count("answers.bypass", 0) + count("answers.method", 0)
    answers = sum(members_of(counters, "answers").values())
    errors = sum(members_of(counters, "refused").values()) - sum(count(name, 0) for name in _NO_ERRORS)
    return (
        *(hits, stale, validated, max(0, answers - hits - stale - validated - bypassed), bypassed, errors),
        *(count("octets.from_copy", 0), count("octets.from_origin", 0), count("milliseconds.saved", 0)),
    )


def by_name(counts: Counts) -> dict[str, int]:
    """Return the numbers by the names of COUNTS."""
    return dict(zip(COUNTS, counts, strict=True))


def responses_in(named: Mapping[str, int]) -> int:
    """Return how many responses numbers with names are about."""
    return sum(named[outcome] for outcome in OUTCOMES)


def copies_in(named: Mapping[str, int]) -> int:
    """Return how many of these responses came from copies without a request to the origin."""
    return named["hit"] + named["stale"]


def increase(earlier: Counts, later: Counts) -> Counts:
    """Return what was added; nothing where a number has become less."""
    return tuple(max(0, new - old) for old, new in zip(earlier, later, strict=True))
