"""Examples of responses that were not stored: which are kept, and what is found in them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from addon.pipeline import not_stored_examples
from addon.pipeline.not_stored_examples import MAX_FINDINGS, MAX_HEAD, NotStoredExamples
from cache.http.messages import Fields, Received, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import NotStored

URL = "http://a.example/"


def received(*fields: tuple[str, str]) -> Received:
    return Received(Response(200, "OK", Fields(fields)), 0.0, 0.0)


class Elapsed:
    """The seconds that have passed."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Elapsed:
    clock = Elapsed()
    monkeypatch.setattr(not_stored_examples, "elapsed_seconds", clock)
    return clock


def described(examples: NotStoredExamples) -> Any:
    return asyncio.run(examples.described(CachePolicy()))


def test_the_first_response_is_the_example_with_its_mistakes(clock: Elapsed) -> None:
    examples = NotStoredExamples()
    assert examples.wants(NotStored.PRIVATE)
    assert described(examples) == {}
    examples.add(NotStored.PRIVATE, "GET", URL, received(("Cache-Control", "private"), ("Expires", "soon")))
    assert not examples.wants(NotStored.PRIVATE)
    told = described(examples)["private"]
    assert (told["method"], told["url"]) == ("GET", URL)
    assert {
        "level": "bad",
        "subject": "expires",
        "sentence": "not a date: it counts as the past",
        "source": "RFC 9111 §5.3",
    } in told["findings"]


def test_after_a_minute_another_response_is_the_example(clock: Elapsed) -> None:
    examples = NotStoredExamples()
    examples.add(NotStored.PRIVATE, "GET", f"{URL}1", received())
    assert described(examples)["private"]["url"] == f"{URL}1"
    assert examples.wants(NotStored.PRIVATE)
    examples.add(NotStored.PRIVATE, "GET", f"{URL}2", received())
    assert described(examples)["private"]["url"] == f"{URL}1"
    clock.now += not_stored_examples.KEPT
    assert described(examples)["private"]["url"] == f"{URL}2"


def test_without_httplint_our_own_checks_are_made(clock: Elapsed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(not_stored_examples, "find_spec", lambda _: None)
    monkeypatch.setattr(not_stored_examples, "findings", None)
    examples = NotStoredExamples()
    examples.add(NotStored.PRIVATE, "GET", URL, received(("Expires", "soon")))
    assert [each["subject"] for each in described(examples)["private"]["findings"]] == ["expires"]


@pytest.mark.parametrize(
    "field",
    [("Cache-Control", "max-age=\xff\x01" + ", ,=;" * 400), ("X-Long", "a" * (MAX_HEAD + 1)), ("Vary", "*, " * 5000)],
)
def test_hostile_heads_are_checked_within_limits(clock: Elapsed, field: tuple[str, str]) -> None:
    examples = NotStoredExamples()
    examples.add(NotStored.PRIVATE, "GET", URL, received(field, ("Expires", "soon")))
    assert 0 < len(described(examples)["private"]["findings"]) <= MAX_FINDINGS


def test_a_failure_of_httplint_is_no_failure_of_the_list(clock: Elapsed, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(not_stored_examples, "findings", fail)
    examples = NotStoredExamples()
    examples.add(NotStored.PRIVATE, "GET", URL, received(("Expires", "soon")))
    assert described(examples)["private"]["findings"][0]["subject"] == "expires"
