"""The connections of each worker, compared with those of the others."""

from __future__ import annotations

import os

import pytest

from addon.frontend.connection_shares import SLACK, ConnectionShare, ConnectionShares


@pytest.fixture
def both() -> tuple[ConnectionShare, ConnectionShare]:
    """Return the shares of two workers."""
    shares = ConnectionShares()
    return shares.of(0, 1), shares.of(1, 1)


def test_a_worker_alone_has_no_share(both: tuple[ConnectionShare, ConnectionShare]) -> None:
    first, second = both
    first.publish(1000)
    assert not first.is_exceeded()
    second.publish(0)
    second.withdraw()
    assert not first.is_exceeded()


@pytest.mark.parametrize(("few", "many"), [(0, SLACK), (10, 15 + SLACK), (100, 150 + SLACK)])
def test_a_share_is_exceeded_with_half_as_many_again_as_the_worker_with_the_fewest(
    both: tuple[ConnectionShare, ConnectionShare], few: int, many: int
) -> None:
    first, second = both
    first.publish(many)
    second.publish(few)
    assert not first.is_exceeded()
    first.publish(many + 1)
    assert first.is_exceeded()
    assert not second.is_exceeded()


def test_64_connections_are_shared_fairly_however_they_arrive(both: tuple[ConnectionShare, ConnectionShare]) -> None:
    counts = [0, 0]
    for share in both:
        share.publish(0)
    for _ in range(64):  # the first worker is always the first to ask
        taker = 1 if both[0].is_exceeded() else 0
        counts[taker] += 1
        both[taker].publish(counts[taker])
    assert min(counts) >= 16


def test_generations_in_a_row_have_places_of_their_own() -> None:
    shares = ConnectionShares()
    shares.of(0, 1).publish(0)
    new = shares.of(0, 2)
    new.publish(100)
    assert new.is_exceeded()
    shares.of(0, 1).withdraw()
    assert not new.is_exceeded()


def test_forked_processes_share_the_counts(both: tuple[ConnectionShare, ConnectionShare]) -> None:
    first, second = both
    first.publish(100)
    process = os.fork()
    if not process:
        second.publish(0)
        os._exit(0)
    os.waitpid(process, 0)
    assert first.is_exceeded()
