"""The recording of a run: verdicts of the suite, requests and responses on both sides of the proxy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class OriginRequest:
    """A request that the origin received.

    Attributes:
        method: Its method.
        target: Its target.
        fields: Its header fields, names in lower case.
        status: The status of the origin's response; None if it closed the connection instead.
        count: How many requests the origin had received for this test by then; Server-Request-Count in its response.
    """

    method: str
    target: str
    fields: Mapping[str, str]
    status: int | None
    count: int | None


@dataclass(frozen=True)
class Exchange:
    """A request of the client and the response that it received.

    Attributes:
        method: Of the request.
        target: Of the request.
        fields: Header fields of the request, names in lower case.
        status: Of the response.
        received: Header fields of the response, names in lower case.
        test: The id of the test; None for requests with which the suite sets up its origin.
    """

    method: str
    target: str
    fields: Mapping[str, str]
    status: int
    received: Mapping[str, str]
    test: str | None = None

    @property
    def count(self) -> int | None:
        """Server-Request-Count: the number of the origin's response; None for a response that the proxy made."""
        value = self.received.get("server-request-count", "")
        return int(value) if value.isdecimal() else None

    def __str__(self) -> str:
        return f"{self.test}: {self.method} {self.target} {dict(self.fields)}: {self.status} {dict(self.received)}"


@dataclass
class SuiteTest:
    """A test of the suite. `kind`: `required`, `optimal` or `check`. `depends_on`: tests that must pass first."""

    kind: str
    depends_on: Sequence[str]


@dataclass
class Recording:
    """A run of the suite. `verdicts` has None for a pass, or the description of the failure."""

    tests: dict[str, SuiteTest] = field(default_factory=dict)
    verdicts: dict[str, str | None] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)
    origin_requests: list[OriginRequest] = field(default_factory=list)

    def merge(self, later: Recording) -> Recording:
        """Return both runs as one. For a test that is in both, the later verdict counts."""
        return Recording(
            self.tests | later.tests,
            self.verdicts | later.verdicts,
            self.exchanges + later.exchanges,
            self.origin_requests + later.origin_requests,
        )

    @cached_property
    def _requests_by_test(self) -> dict[str, list[OriginRequest]]:
        requests = defaultdict(list)
        for request in self.origin_requests:
            requests[_test_prefix(request.target)].append(request)
        return requests

    def test_requests(self, exchange: Exchange) -> list[OriginRequest]:
        """Return all requests that the origin received in the test of an exchange, in order."""
        return sorted(self._requests_by_test[_test_prefix(exchange.target)], key=lambda request: request.count or 0)


def _test_prefix(target: str) -> str:
    """Return the part of a target that all requests of a test share: `/test/UUID` of `/test/UUID/name?query`."""
    return "/".join(target.split("?")[0].split("/")[:3])


def read(played: Mapping[str, Any], log: Sequence[Mapping[str, Any]]) -> Recording:
    """Return the recording that play.mjs (`played`) and origin.mjs (`log`) wrote."""
    return Recording(
        {test["id"]: SuiteTest(test["kind"], test["depends_on"]) for test in played["tests"]},
        {test: None if result is True else ": ".join(result) for test, result in played["results"].items()},
        [Exchange(**each) for each in played["exchanges"]],
        [OriginRequest(**each) for each in log],
    )
