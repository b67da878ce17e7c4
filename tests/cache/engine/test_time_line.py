"""The life of a stored response as a line: which uses follow each other, and where they end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.engine.explain import explain
from cache.engine.time_line import TimeLine, Use, time_line
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Detail
from cache.rules.stored_response import StoredResponse
from tests.cache import examples
from tests.cache.examples import NOW, request

POLICY = CachePolicy()
BORN = NOW - 10
DAY = 86_400


def stored(control: str) -> StoredResponse:
    """Return a response that was received 10 seconds ago."""
    return examples.stored(("Cache-Control", control), at=BORN)


def parts(line: TimeLine) -> list[tuple[Use, float, float, str]]:
    """Return the parts, with times in seconds since the response was made."""
    return [(each.use, each.start - BORN, each.end - BORN, each.source) for each in line.segments]


def test_the_uses_of_a_copy_follow_each_other() -> None:
    entry = stored("max-age=60, stale-while-revalidate=30, stale-if-error=100")
    line = time_line(entry, POLICY, NOW)
    assert (line.now, line.made_at, line.stored_at, line.validate) == (NOW, BORN, entry.stored_at, None)
    assert parts(line) == [
        (Use.FRESH, 0, 60, "max-age"),
        (Use.WHILE_REVALIDATED, 60, 90, "stale-while-revalidate"),
        (Use.IF_ERROR, 90, 160, "stale-if-error"),
        (Use.IF_UNREACHABLE, 160, 60 + DAY, "cache.max_stale_disconnected"),
    ]


@pytest.mark.parametrize(
    ("control", "uses"),
    [
        ("max-age=60", [Use.FRESH, Use.IF_UNREACHABLE]),
        ("max-age=60, must-revalidate, stale-while-revalidate=30", [Use.FRESH]),
        (
            "max-age=60, stale-while-revalidate=30, stale-if-error=20",
            [Use.FRESH, Use.WHILE_REVALIDATED, Use.IF_UNREACHABLE],
        ),
        ("max-age=0", [Use.IF_UNREACHABLE]),
        (f"max-age=60, stale-if-error={2 * DAY}", [Use.FRESH, Use.IF_ERROR]),
    ],
)
def test_only_uses_that_begin_are_on_the_line(control: str, uses: list[Use]) -> None:
    assert [part[0] for part in parts(time_line(stored(control), POLICY, NOW))] == uses


def test_a_copy_that_is_always_validated_has_no_parts() -> None:
    for entry, reason in [
        (stored("max-age=60, no-cache"), Detail.RESPONSE_NO_CACHE),
        (replace(stored("max-age=60"), invalid=True), Detail.INVALIDATED),
    ]:
        line = time_line(entry, POLICY, NOW)
        assert (line.segments, line.validate) == ((), reason)


def test_a_copy_that_was_marked_as_stale_is_not_fresh() -> None:
    line = time_line(replace(stored("max-age=60, stale-while-revalidate=30"), soft_purged=True), POLICY, NOW)
    assert [(use, start, end) for use, start, end, _ in parts(line)] == [
        (Use.WHILE_REVALIDATED, 0, 90),
        (Use.IF_UNREACHABLE, 90, 60 + DAY),
    ]


def test_an_explanation_has_the_line_of_the_copy_that_is_used() -> None:
    entry = stored("max-age=60")
    assert explain(request(), [entry], POLICY, NOW).time_line == time_line(entry, POLICY, NOW)
    assert explain(request(), [entry], POLICY, NOW + 2 * DAY).time_line
    assert explain(request(), [], POLICY, NOW).time_line is None
