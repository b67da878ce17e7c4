"""The health of an origin: when it is down, when it is tried again, and what is logged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from addon.origin import FailureKind, OriginFailure
from addon.origin.backends.health import LEAST_SHARE, OriginHealth
from addon.origin.backends.options import CheckOptions, SiteOptions, SiteOriginOptions
from cache.http.origin_address import OriginAddress

URL = "http://127.0.0.1:8000"
SITE = SiteOptions(("a.example",), (SiteOriginOptions(URL, OriginAddress.of(URL)),), max_fails=2)
CHECKED = replace(SITE, check=CheckOptions("/health", fails=2, passes=2))
REFUSED = OriginFailure(FailureKind.CONNECTION_REFUSED, "127.0.0.1:8000 refused the connection", disconnected=True)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def health(site: SiteOptions = SITE) -> tuple[OriginHealth, Clock]:
    clock = Clock()
    return OriginHealth(URL, site, clock), clock


def down(site: SiteOptions = SITE) -> tuple[OriginHealth, Clock]:
    one, clock = health(site)
    one.failed(REFUSED)
    one.failed(REFUSED)
    assert not one.is_up
    return one, clock


def test_an_origin_is_down_after_max_fails_within_fail_timeout() -> None:
    one, clock = health()
    one.failed(REFUSED)
    assert one.is_up
    clock.now += 11
    one.failed(REFUSED)
    assert one.is_up
    one.failed(REFUSED)
    assert (one.is_up, one.problem) == (False, "127.0.0.1:8000 refused the connection")
    assert (one.requests, one.failures) == (0, 3)


def test_the_latest_problem_is_told_although_the_origin_is_up_again() -> None:
    one, clock = health(CHECKED)
    assert (one.last_problem, one.last_problem_age) == ("", None)
    one.failed_check("its health check was answered 500")
    clock.now += 3
    one.failed(REFUSED)
    clock.now += 7
    one.answered(200)
    assert one.is_up
    assert (one.problem, one.last_problem, one.last_problem_age) == ("", REFUSED.detail, 10 - 3)
    another, _ = health(CHECKED)
    another.take_over(one)
    assert another.last_problem == REFUSED.detail


def test_with_max_fails_0_no_failure_takes_an_origin_down() -> None:
    one, _ = health(replace(SITE, max_fails=0))
    for _ in range(5):
        one.failed(REFUSED)
    assert one.is_up


@pytest.mark.parametrize("kind", [FailureKind.HTTP_REQUEST_ERROR, FailureKind.CONNECTION_LIMIT_REACHED])
def test_what_the_origin_did_not_cause_does_not_count(kind: FailureKind) -> None:
    one, _ = health()
    for _ in range(3):
        one.failed(OriginFailure(kind, "not its fault", disconnected=True))
    assert one.is_up
    assert one.failures == 0


def test_a_missing_unix_socket_counts() -> None:
    one, _ = health()
    for _ in range(2):
        one.failed(OriginFailure(FailureKind.DESTINATION_UNAVAILABLE, "no such file", disconnected=True))
    assert not one.is_up


def test_an_origin_that_is_down_is_tried_once_in_each_fail_timeout() -> None:
    one, clock = down()
    assert not one.is_due
    clock.now += 10
    assert one.is_due
    one.begin_trial()
    assert not one.is_due
    one.failed(REFUSED)
    clock.now += 10
    assert one.is_due


def test_the_answer_to_a_trial_brings_it_up_and_a_late_one_does_not() -> None:
    one, clock = down()
    one.answered(200)  # to a request from before
    assert not one.is_up
    clock.now += 10
    one.begin_trial()
    one.answered(200)
    assert (one.is_up, one.problem) == (True, "")


def test_statuses_count_as_failures_if_the_settings_say_so() -> None:
    one, _ = health(replace(SITE, fail_statuses=frozenset({503})))
    one.answered(500)
    one.answered(503)
    one.answered(503)
    assert (one.is_up, one.problem) == (False, "it answered 503")
    assert (one.requests, one.failures) == (3, 2)


def test_checks_in_a_row_take_it_down_and_bring_it_up() -> None:
    one, clock = health(CHECKED)
    one.failed_check("timeout")
    one.passed_check()
    one.failed_check("timeout")
    assert one.is_up
    one.failed_check("timeout")
    assert (one.is_up, one.problem) == (False, "timeout")
    clock.now += 100
    assert not one.is_due  # only checks bring it up
    assert not one.may_be_tried
    one.passed_check()
    one.failed_check("timeout")
    one.passed_check()
    assert not one.is_up
    one.passed_check()
    assert one.is_up


def test_checks_that_are_passed_bring_up_an_origin_that_failed_requests() -> None:
    one, _ = down(CHECKED)
    one.passed_check()
    one.passed_check()
    assert one.is_up


def test_after_an_outage_the_share_of_an_origin_grows() -> None:
    one, clock = health(replace(SITE, slow_start=20.0))
    assert one.share == 1
    one.failed(REFUSED)
    one.failed(REFUSED)
    one.begin_trial()
    one.answered(200)
    assert one.share == LEAST_SHARE
    clock.now += 10
    assert one.share == 0.5
    clock.now += 10
    assert one.share == 1


def test_each_change_is_logged_once_in_plain_words(caplog: pytest.LogCaptureFixture) -> None:
    one, clock = down()
    for _ in range(3):
        one.failed(REFUSED)
    clock.now += 10
    one.begin_trial()
    for _ in range(3):
        one.answered(200)
    assert [record.getMessage() for record in caplog.records] == [
        f"the origin {URL} of the site a.example is down: 127.0.0.1:8000 refused the connection",
        f"the origin {URL} of the site a.example is up again",
    ]


def test_a_reload_keeps_what_is_known() -> None:
    one, _ = down()
    other, _ = health(replace(SITE, max_fails=5))
    other.take_over(one)
    assert (other.is_up, other.problem, other.failures) == (False, one.problem, 2)


def test_without_checks_nothing_stays_down_because_of_checks() -> None:
    one, _ = health(CHECKED)
    for _ in range(2):
        one.failed_check("timeout")
    other, _ = health()
    other.take_over(one)
    assert other.is_up
