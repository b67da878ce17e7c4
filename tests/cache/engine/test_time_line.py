"""The life of a stored response as a line: which uses follow each other, and where they end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.engine.explain import explain
from cache.engine.time_line import TimeLine, Use, time_line
from cache.policy.cache_policy import CachePolicy
from cache.policy.private_cache import PrivateCache
from cache.policy.reasons import Detail
from cache.policy.recordings import replaying_policy
from cache.rules.stored_response import StoredResponse
from tests.cache import examples
from tests.cache.examples import NOW, request

POLICY = CachePolicy()
BORN = NOW - 10
DAY = 86_400


def stored(control: str) -> StoredResponse:
    """Return a response that was received 10 seconds ago."""
    return examples.stored(("Cache-Control", control), at=BORN)


def parts(line: TimeLine) -> list[tuple[Use, float, float | None, str]]:
    """Return the parts, with times in seconds since the response was made."""
    return [
        (each.use, each.start - BORN, None if each.end is None else each.end - BORN, each.source)
        for each in line.segments
    ]


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
    assert parts(line) == [
        (Use.WHILE_REVALIDATED, 0, 60, "max-age"),
        (Use.WHILE_REVALIDATED, 60, 90, "stale-while-revalidate"),
        (Use.IF_UNREACHABLE, 90, 60 + DAY, "cache.max_stale_disconnected"),
    ]


OFFLINE = replace(POLICY, network=replace(POLICY.network, offline=True))
OVERRIDE = PrivateCache(override_offline=True)


@pytest.mark.parametrize(
    ("policy", "control", "expected"),
    [
        (
            OFFLINE,
            "max-age=60, stale-if-error=100",
            [(Use.FRESH, 0, 60, "max-age"), (Use.WITHOUT_ORIGIN, 60, None, "the mode offline")],
        ),
        (OFFLINE, "max-age=60, must-revalidate", [(Use.FRESH, 0, 60, "max-age")]),
        (
            replace(OFFLINE, private=OVERRIDE),
            "max-age=60, must-revalidate",
            [(Use.FRESH, 0, 60, "max-age"), (Use.WITHOUT_ORIGIN, 60, None, "offline.override")],
        ),
        (replace(OFFLINE, private=OVERRIDE), "no-cache", [(Use.WITHOUT_ORIGIN, 0, None, "offline.override")]),
        (replace(POLICY, private=OVERRIDE), "no-cache", [(Use.IF_UNREACHABLE, 0, None, "offline.override")]),
        (replaying_policy(POLICY, "a"), "max-age=60, no-cache", [(Use.WITHOUT_ORIGIN, 0, None, "a replay")]),
    ],
)
def test_a_use_that_no_age_ends_has_no_end(
    policy: CachePolicy, control: str, expected: list[tuple[Use, float, float | None, str]]
) -> None:
    line = time_line(stored(control), policy, NOW)
    assert (parts(line), line.validate) == (expected, None)


def test_while_an_origin_is_left_alone_staleness_has_its_limit() -> None:
    policy = replace(OFFLINE, network=replace(OFFLINE.network, disconnected=True))
    assert [part[0] for part in parts(time_line(stored("max-age=60"), policy, NOW))] == [Use.FRESH, Use.IF_UNREACHABLE]


def test_an_explanation_has_the_line_of_the_copy_that_is_used() -> None:
    entry = stored("max-age=60")
    assert explain(request(), [entry], POLICY, NOW).time_line == time_line(entry, POLICY, NOW)
    assert explain(request(), [entry], POLICY, NOW + 2 * DAY).time_line
    assert explain(request(), [], POLICY, NOW).time_line is None
