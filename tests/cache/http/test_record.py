"""Records: plain objects at run time, which no code changes. Every test runs with a guard against that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.http.messages import Fields, Received, Request, Response
from cache.http.record import RECORDS, record
from cache.rules.stored_response import StoredResponse
from tests.fixtures.guarded_records import guard_records


@record
class Point:
    x: int
    y: int = 0


def test_records_are_compared_and_hashed_by_value() -> None:
    assert Point(1) == Point(1, 0)
    assert hash(Point(1)) == hash(Point(1, 0))
    assert replace(Point(1), y=2) == Point(1, 2)


def test_a_record_has_slots_and_plain_attributes() -> None:
    @record
    class Unguarded:
        x: int

    unguarded = Unguarded(1)
    assert not hasattr(unguarded, "__dict__")
    unguarded.x = 2
    assert unguarded.x == 2


@pytest.mark.parametrize("kind", [Fields, Received, Request, Response, StoredResponse])
def test_what_is_made_for_each_request_is_a_record(kind: type) -> None:
    assert kind in RECORDS


def test_no_code_under_test_may_change_a_record() -> None:
    guard_records()  # as tests/conftest.py does, which the mutation test does not load
    response = Response(200, "OK")
    with pytest.raises(AttributeError, match=r"Response\.status is changed"):
        response.status = 203
    with pytest.raises(AttributeError, match=r"Response\.status is deleted"):
        del response.status
