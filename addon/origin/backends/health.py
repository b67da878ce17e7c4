"""The health of one origin of a site: whether it gets requests.

An origin is down after `max_fails` failed requests within `fail_timeout`, or after several failed checks in a row.
After failed requests it gets one request each `fail_timeout`, until one of them is answered. After failed checks, only
checks that are passed bring it up again.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

from addon.origin.backends.options import SiteOptions
from addon.origin.errors import FailureKind, OriginFailure
from addon.origin.reachability import UNDECIDED

logger = logging.getLogger(__name__)

_NOT_CAUSED_BY_ORIGINS = UNDECIDED - {FailureKind.DESTINATION_UNAVAILABLE}
"""A missing Unix socket, for instance, is DESTINATION_UNAVAILABLE."""

LEAST_SHARE = 0.05
"""The share of its weight that an origin has at the beginning of a slow start."""


class OriginHealth:
    """The health of one origin.

    Attributes:
        name: The origin's URL.
        has_others: The site has other origins.
        is_up: It gets requests.
        requests: Requests that it has answered.
        failures: Requests that have failed, or were answered by a status that counts as a failure.
        problem: Why it is down, or nothing.
        last_problem: What was wrong with the latest request or check that failed, or nothing.
        last_problem_at: When that was, by its clock.
        failed_checks: It is down because of its checks.
        tried_at: When it went down, or a request was last sent to it while it was down, by its clock.
        up_since: When it came up again, by its clock.
    """

    def __init__(self, name: str, site: SiteOptions, clock: Callable[[], float]) -> None:
        """Start with an origin that is up. `clock` returns seconds that only go forward."""
        self.name = name
        self.has_others = len(site.origins) > 1
        self.is_up = True
        self.requests = 0
        self.failures = 0
        self.problem = self.last_problem = ""
        self.last_problem_at = -math.inf
        self._site = site
        self._clock = clock
        self.failed_checks = False
        self._recent_failures = 0
        self._first_failure_at = -math.inf
        self.tried_at = -math.inf
        self._is_tried = False
        self.up_since = -math.inf
        self._checks_in_row = 0
        """Checks in a row that speak against the present state."""

    def take_over(self, other: OriginHealth) -> None:
        """Go on from what is known about the same origin under other settings."""
        self.requests, self.failures = other.requests, other.failures
        self.up_since, self.tried_at = other.up_since, other.tried_at
        self.last_problem, self.last_problem_at = other.last_problem, other.last_problem_at
        # without checks, nothing would bring up an origin that is down because of them
        if not other.is_up and (self._site.check or not other.failed_checks):
            self.is_up, self.problem, self.failed_checks = False, other.problem, other.failed_checks

    @property
    def last_problem_age(self) -> float | None:
        """Return the seconds since the latest problem; None without one."""
        return self._clock() - self.last_problem_at if self.last_problem else None

    # ---- the choice of an origin

    @property
    def may_be_tried(self) -> bool:
        """Return whether a request may be sent although the origin is down, if no other origin is left."""
        return not self.failed_checks

    @property
    def is_due(self) -> bool:
        """Return whether it is time to try an origin that is down."""
        return not self.failed_checks and self._clock() - self.tried_at >= self._site.fail_timeout

    def begin_trial(self) -> None:
        """Note that a request is sent to the origin although it is down."""
        self.tried_at = self._clock()
        self._is_tried = True

    @property
    def share(self) -> float:
        """Return the share of its weight that the origin has now: less than 1 during a slow start."""
        if not self._site.slow_start:
            return 1.0
        return min(1.0, max(LEAST_SHARE, (self._clock() - self.up_since) / self._site.slow_start))

    # ---- requests

    def answered(self, status: int) -> None:
        """Note a response."""
        self.requests += 1
        if status in self._site.fail_statuses:
            self._count_failure(f"it answered {status}")
        elif self._is_tried and not self.failed_checks:
            self._come_up()

    def failed(self, failure: OriginFailure) -> None:
        """Note a request without a response. What an origin did not cause does not count."""
        if failure.kind not in _NOT_CAUSED_BY_ORIGINS:
            self._count_failure(failure.detail)

    def _count_failure(self, problem: str) -> None:
        self.failures += 1
        now = self._clock()
        self._note_problem(problem)
        self._is_tried = False
        if now - self._first_failure_at > self._site.fail_timeout:
            self._first_failure_at, self._recent_failures = now, 0
        self._recent_failures += 1
        if self._site.max_fails and self._recent_failures >= self._site.max_fails and self.is_up:
            self.tried_at = now
            self._go_down(problem)

    # ---- checks

    def passed_check(self) -> None:
        """Note a check that was passed."""
        self._checks_in_row = 0 if self.is_up else self._checks_in_row + 1
        if self._site.check and self._checks_in_row >= self._site.check.passes:
            self._come_up()

    def failed_check(self, problem: str) -> None:
        """Note a check that was not passed."""
        self._note_problem(problem)
        self._checks_in_row = 0 if self.failed_checks else self._checks_in_row + 1
        if self._site.check and self._checks_in_row >= self._site.check.fails:
            self.failed_checks, self._checks_in_row = True, 0
            self._go_down(problem)

    # ---- changes

    def _note_problem(self, problem: str) -> None:
        self.last_problem, self.last_problem_at = problem, self._clock()

    def _go_down(self, problem: str) -> None:
        self.problem = problem
        if self.is_up:
            self.is_up = False
            self._checks_in_row = 0
            logger.warning("the origin %s of the site %s is down: %s", self.name, self._site.name, problem)

    def _come_up(self) -> None:
        self.failed_checks = self._is_tried = False
        self._recent_failures = self._checks_in_row = 0
        self._first_failure_at = -math.inf
        self.problem = ""
        if not self.is_up:
            self.is_up = True
            self.up_since = self._clock()
            logger.warning("the origin %s of the site %s is up again", self.name, self._site.name)
