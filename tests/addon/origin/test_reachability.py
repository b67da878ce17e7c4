"""An origin that does not answer is left alone, except for one trial a second."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from addon.origin import FailureKind, OriginFailure
from addon.origin.reachability import (
    FORGET_AFTER,
    MAX_FAILURES,
    MAX_ORIGINS,
    MAX_TARGETS,
    NO_ANSWER,
    TRIAL_INTERVAL,
    UNDECIDED,
    Reachability,
)
from cache.http.messages import Request
from cache.policy.operator_rules import glob
from cache.rules.key import request_for

REQUEST = request_for("https://Example.test/a")
ORIGIN = "https://example.test"


def failure(kind: FailureKind) -> OriginFailure:
    return OriginFailure(kind, "No answer.", disconnected=True)


class World:
    """A clock that a test sets, and the sets of origins that were left alone."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.changes: list[frozenset[str]] = []
        self.reachability = Reachability(self.changes.append, lambda: self.now)

    def fail(
        self, request: Request = REQUEST, kind: FailureKind = FailureKind.CONNECTION_TIMEOUT, took: float = 0.0
    ) -> None:
        self.reachability.failed(request, failure(kind), self.now - took)

    def leave_alone(self, request: Request = REQUEST) -> None:
        for _ in range(MAX_FAILURES):
            self.fail(request)


@pytest.fixture
def world() -> World:
    return World()


def test_failed_connections_are_counted_by_origin(world: World) -> None:
    for kind in (FailureKind.DNS_ERROR, FailureKind.CONNECTION_REFUSED):
        world.fail(kind=kind)
    world.reachability.failed(REQUEST, OriginFailure(FailureKind.TLS_CERTIFICATE_ERROR, "No CA."), world.now)
    assert world.reachability.not_reached == {ORIGIN: 2}
    for number in range(MAX_ORIGINS + 1):
        world.fail(request_for(f"https://{number}.test/"))
    assert len(world.reachability.not_reached) == MAX_ORIGINS


def test_one_failure_is_not_enough() -> None:
    assert MAX_FAILURES > 1


@pytest.mark.parametrize("kind", sorted(NO_ANSWER))
def test_an_origin_that_does_not_answer_is_left_alone_until_it_does(world: World, kind: FailureKind) -> None:
    for _ in range(MAX_FAILURES - 1):
        world.fail(kind=kind)
    assert not world.reachability.unreachable
    world.fail(kind=kind)
    assert world.reachability.unreachable == {ORIGIN}
    assert world.reachability.reached(request_for("https://example.test:443/other"))
    assert not world.reachability.unreachable
    assert world.changes == [{ORIGIN}, set()]


@pytest.mark.parametrize(
    "other", ["http://example.test/", "https://example.test:81/", "http://example.test:443/", "https://a.example.test/"]
)
def test_scheme_host_and_port_are_judged_together(world: World, other: str) -> None:
    world.leave_alone()
    world.fail(request_for(other))
    assert world.reachability.unreachable == {ORIGIN}
    assert not world.reachability.reached(request_for(other))
    assert world.reachability.unreachable == {ORIGIN}


def test_failures_with_a_response_in_between_do_not_add_up(world: World) -> None:
    for _ in range(5):
        for _ in range(MAX_FAILURES - 1):
            world.fail()
        world.reachability.reached(REQUEST)
    assert not world.changes


def test_a_failure_does_not_count_if_the_origin_has_answered_another_request_meanwhile(world: World) -> None:
    world.leave_alone()
    world.now += 30
    world.reachability.reached(REQUEST)
    world.now += 30
    for _ in range(MAX_FAILURES):
        world.fail(kind=FailureKind.CONNECTION_READ_TIMEOUT, took=60)
    assert not world.reachability.unreachable
    for _ in range(MAX_FAILURES):
        world.fail(kind=FailureKind.CONNECTION_READ_TIMEOUT, took=29)
    assert world.reachability.unreachable == {ORIGIN}


@pytest.mark.parametrize("kind", sorted(set(FailureKind) - NO_ANSWER - UNDECIDED))
def test_an_origin_that_refuses_or_fails_at_once_answers(world: World, kind: FailureKind) -> None:
    for _ in range(MAX_FAILURES):
        world.fail(kind=kind)
    assert not world.changes
    world.leave_alone()
    world.fail(kind=kind)
    assert not world.reachability.unreachable


@pytest.mark.parametrize("kind", sorted(UNDECIDED))
def test_failures_on_this_side_say_nothing(world: World, kind: FailureKind) -> None:
    world.fail()
    for _ in range(MAX_FAILURES):
        world.fail(kind=kind)
    assert not world.changes
    world.fail()
    assert world.changes == [{ORIGIN}]


def test_one_trial_is_allowed_in_each_second_however_long_the_outage(world: World) -> None:
    world.leave_alone()
    trials = []
    for tenth in range(10_000):
        world.now = 1000 + tenth / 10
        if world.reachability.may_try(REQUEST):
            world.fail(took=0)
            trials.append(world.now)
    assert {round(later - earlier, 1) for earlier, later in pairwise(trials)} == {TRIAL_INTERVAL}
    assert world.changes == [{ORIGIN}]


def test_a_trial_that_hangs_does_not_delay_the_next_one(world: World) -> None:
    world.leave_alone()
    for _ in range(10):
        world.now += TRIAL_INTERVAL
        assert world.reachability.may_try(REQUEST)
        assert not world.reachability.may_try(REQUEST)


def test_an_origin_that_is_tried_again_is_not_left_alone_and_its_failure_stays_known(world: World) -> None:
    world.leave_alone()
    world.reachability.try_again()
    assert not world.reachability.unreachable
    assert world.changes == [{ORIGIN}, set()]
    assert world.reachability.latest_failure(ORIGIN) is not None
    world.fail()
    world.reachability.try_again()
    assert len(world.changes) == 2


def test_nothing_is_known_after_forgetting(world: World) -> None:
    world.leave_alone()
    world.reachability.forget()
    assert not world.reachability.unreachable
    assert world.changes == [{ORIGIN}, set()]
    assert not world.reachability.failing
    world.fail()
    world.reachability.forget()
    assert len(world.changes) == 2


def test_only_the_origins_of_some_hosts_are_tried_again(world: World) -> None:
    for uri in ("http://b.test:8080/", "https://b.test/", "http://[::1]:8080/", "http://c.test/"):
        world.leave_alone(request_for(uri))
    world.reachability.try_again(glob("B.test"))
    assert world.reachability.unreachable == {"http://[::1]:8080", "http://c.test"}
    world.reachability.try_again(glob("::*"))
    assert world.reachability.unreachable == {"http://c.test"}


def test_origins_beyond_the_limit_are_not_left_alone(world: World) -> None:
    for number in range(MAX_ORIGINS + 1):
        world.leave_alone(request_for(f"http://h{number}.test/"))
    assert len(world.reachability.unreachable) == MAX_ORIGINS
    world.now += FORGET_AFTER
    world.leave_alone()
    assert world.reachability.unreachable == {ORIGIN}


def test_single_failures_elsewhere_take_no_place_from_others(world: World) -> None:
    for number in range(2 * MAX_ORIGINS):
        world.fail(request_for(f"http://h{number}.test/"))
    world.leave_alone()
    assert world.reachability.unreachable == {ORIGIN}


HANGS = FailureKind.CONNECTION_READ_TIMEOUT


def hang(world: World, request: Request = REQUEST) -> None:
    for _ in range(MAX_FAILURES):
        world.fail(request, HANGS)


def test_a_response_before_the_first_failure_counts_too(world: World) -> None:
    world.reachability.reached(REQUEST)
    world.now += 2
    for _ in range(MAX_FAILURES):
        world.fail(kind=HANGS, took=3)
    assert not world.changes


def test_requests_that_hang_take_the_turn_from_no_others(world: World) -> None:
    hang(world)
    for second in range(20):
        world.now += 1
        assert world.reachability.may_try(request_for(f"{ORIGIN}/hang/{second}"))
        assert world.reachability.may_try_as_well(request_for(f"{ORIGIN}/good/{second}"))


def test_a_request_like_one_that_has_just_failed_is_not_tried_out_of_turn(world: World) -> None:
    hang(world)
    assert not world.reachability.may_try_as_well(REQUEST)
    assert world.reachability.may_try_as_well(replace(REQUEST, method="HEAD"))
    world.now += TRIAL_INTERVAL
    assert world.reachability.may_try_as_well(REQUEST)
    assert not world.reachability.may_try_as_well(REQUEST)


def test_the_targets_that_are_remembered_are_limited(world: World) -> None:
    hang(world)
    for number in range(MAX_TARGETS):
        assert world.reachability.may_try_as_well(request_for(f"{ORIGIN}/{number}"))
    assert not world.reachability.may_try_as_well(request_for(f"{ORIGIN}/1"))
    assert world.reachability.may_try_as_well(REQUEST)  # forgotten


@pytest.mark.parametrize("kind", sorted(NO_ANSWER - {HANGS}))
def test_an_origin_that_accepts_no_connections_is_tried_in_turn_only(world: World, kind: FailureKind) -> None:
    for _ in range(MAX_FAILURES):
        world.fail(kind=kind)
    assert not world.reachability.may_try_as_well(request_for(f"{ORIGIN}/other"))


def test_a_trial_that_gets_a_connection_and_hangs_lets_others_try(world: World) -> None:
    world.leave_alone()
    world.now += 1
    world.reachability.connected(REQUEST)
    assert world.reachability.may_try_as_well(request_for(f"{ORIGIN}/other"))
    world.fail(took=1)  # it began before
    assert world.reachability.may_try_as_well(request_for(f"{ORIGIN}/another"))
    world.now += 2
    world.fail(took=1)
    assert not world.reachability.may_try_as_well(request_for(f"{ORIGIN}/last"))


def test_an_origin_that_accepts_connections_gets_new_ones_once(world: World) -> None:
    hang(world)
    assert world.reachability.needs_new_connections(REQUEST)
    assert not world.reachability.needs_new_connections(REQUEST)
    world.now += 1
    world.fail()
    assert world.reachability.needs_new_connections(REQUEST)


def test_a_refused_connection_is_remembered_until_the_origin_answers(world: World) -> None:
    world.fail(kind=FailureKind.CONNECTION_REFUSED)
    world.now += 5
    world.fail(kind=FailureKind.HTTP_REQUEST_ERROR)  # the client's own
    known = world.reachability.latest_failure(ORIGIN)
    assert known is not None
    assert (known.error, known.sentence, known.at) == ("connection_refused", "No answer.", world.now - 5)
    world.reachability.reached(REQUEST)
    assert world.reachability.latest_failure(ORIGIN) is None


def test_the_failures_that_are_remembered_are_limited(world: World) -> None:
    for number in range(MAX_ORIGINS + 1):
        world.fail(request_for(f"https://{number}.test/"), FailureKind.CONNECTION_REFUSED)
    assert len(world.reachability.failing) == MAX_ORIGINS
    assert world.reachability.latest_failure("https://0.test") is None
