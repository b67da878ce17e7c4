"""Responses that were not stored: each lane logs the reason, and the latest reasons are remembered by key."""

from __future__ import annotations

import logging

import pytest

from addon.pipeline import not_stored_log
from addon.pipeline.not_stored_log import NotStoredLog, NotStoredNote
from addon.runtime.counters import Counters
from cache.answer.cache_status import Handling
from cache.policy.reasons import Forwarded, NotStored
from tests.addon.frontend.front_end import FrontEndUnderTest, authority_of, get, run_conversation
from tests.addon.frontend.http2.http2_client import http2_client
from tests.fixtures.raw_origin import RawOrigin, answering
from tests.fixtures.stored_entries import KEY, new_entry

NO_STORE_RESPONSE = (
    b"HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\nhi"
)
NOTE = NotStoredNote(5.0, NotStored.NO_STORE, 200)


def log() -> NotStoredLog:
    return NotStoredLog(lambda: 7.0, Counters())


def test_the_last_reason_is_remembered_by_method_and_key() -> None:
    notes = log()
    notes.relayed("GET", KEY, NOTE)
    notes.relayed("POST", KEY, NotStoredNote(5.0, NotStored.METHOD, None))
    assert notes.find("GET", KEY) == NOTE
    assert notes.find("GET", f"{KEY}other") is None
    notes.stored("GET", KEY)
    assert notes.find("GET", KEY) is None


def test_ten_thousand_keys_are_remembered_and_not_many_more() -> None:
    notes = log()
    for number in range(3 * not_stored_log.MAX_KEYS):
        notes.relayed("GET", f"{KEY}{number}", NOTE)
    remembered = [number for number in range(3 * not_stored_log.MAX_KEYS) if notes.find("GET", f"{KEY}{number}")]
    assert remembered[0] <= 2 * not_stored_log.MAX_KEYS
    assert not_stored_log.MAX_KEYS <= len(remembered) <= 2 * not_stored_log.MAX_KEYS


def test_a_response_that_could_not_be_stored_is_counted_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    counters = Counters()
    notes = NotStoredLog(lambda: 5.0, counters)
    stored = Handling(fwd=Forwarded.URI_MISS, fwd_status=200, stored=True)
    notes.gave_up(new_entry(), stored, NotStored.TOO_LARGE, "more than 9 bytes")
    assert notes.find("GET", KEY) == NotStoredNote(5.0, NotStored.TOO_LARGE, 200)
    assert counters.snapshot()["not_stored.too-large"] == 1
    assert not notes.examples.wants(NotStored.TOO_LARGE)
    assert caplog.messages == [f"{KEY} not stored: too-large (more than 9 bytes)"]


def test_each_way_through_the_front_end_says_why_a_response_is_not_stored(caplog: pytest.LogCaptureFixture) -> None:
    """The third request is answered by a response template, without a decision of its own."""
    caplog.set_level(logging.INFO, not_stored_log.logger.name)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        over_http2 = await http2_client(front_end, origin)
        received = [(await client.fetch(get(origin, path))).fields.get("cache-status") for path in ("/1", "/2", "/3")]
        received += [(await over_http2.fetch(path)).heads[-1]["cache-status"] for path in ("/4", "/5")]
        assert received == ["secondhand; fwd=uri-miss; detail=no-store"] * 5
        notes = front_end.service.active.current.fetcher.not_stored
        keys = [f"http://{authority_of(origin)}/{number}" for number in (1, 2, 3, 4, 5)]
        assert [note.reason for key in keys if (note := notes.find("GET", key))] == ["no-store"] * 5
        assert caplog.messages == [f"{key} not stored: no-store" for key in keys]

    run_conversation(conversation, answering(*[NO_STORE_RESPONSE] * 5))
