"""The time limits of one exchange, in the time of the test."""

from __future__ import annotations

import math

import pytest

from addon.origin.options import OriginOptions
from addon.origin.response_reader import ResponseReader
from addon.origin.time_limits import TimeLimits

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
LIVE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
LIVE_CHUNKS = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


class Exchange:
    """A request at time 0, and what the origin sends."""

    def __init__(self, *, held_back: float = 0, **options: float) -> None:
        settings = OriginOptions(first_byte_timeout=60, between_bytes_timeout=30, stream_timeout=3600, min_rate=10)
        for name, value in options.items():
            object.__setattr__(settings, name, value)
        self._response = ResponseReader("GET", "a.example", settings)
        self._response.held_back = held_back
        self.limits = TimeLimits(self._response, settings)
        self.deadline = self.limits.next_deadline(0)

    def receives(self, data: bytes, at: float) -> float:
        """Receive data in time, and return the next deadline."""
        assert at < self.deadline
        self._response.feed(data)
        self.deadline = self.limits.next_deadline(at)
        return self.deadline


def test_a_head_has_a_limit_in_total() -> None:
    exchange = Exchange()
    assert exchange.deadline == 60
    for second in range(1, 60):
        deadline = exchange.receives(b"HTTP/1.1 200 OK\r\nX: " if second == 1 else b"a", second)
        assert deadline == min(60, second + 30)
    assert exchange.limits.exceeded() == "did not send a whole response head in time"


def test_an_interim_response_starts_the_time_for_the_head_anew() -> None:
    exchange = Exchange()
    for second in range(20, 200, 20):
        exchange.receives(b"HTTP/1.1 102 Processing\r\n\r\n", second)
    assert exchange.receives(b"H", 181) == 211


@pytest.mark.row("SEC-22")
def test_a_body_that_drips_is_cut_off() -> None:
    exchange = Exchange()
    assert exchange.receives(HEAD, 5) == 35
    for second in range(6, 35):
        assert exchange.receives(b"a", second) == 35
    assert exchange.limits.exceeded() == "sent less than 300 bytes in 30 seconds (origin.min_rate)"


def test_a_silent_body_is_called_silent() -> None:
    exchange = Exchange()
    exchange.receives(HEAD, 5)
    assert exchange.limits.exceeded() == "sent nothing for 30 seconds"


def test_a_slow_body_at_the_lowest_rate_may_take_any_time() -> None:
    exchange = Exchange()
    exchange.receives(HEAD, 1)
    for second in range(2, 3600):
        exchange.receives(b"a" * 11, second)


def test_a_response_has_at_least_the_default_rate_over_a_link_of_two_kilobytes_a_second() -> None:
    exchange = Exchange(between_bytes_timeout=60, min_rate=OriginOptions().min_rate)
    exchange.receives(HEAD, 1)
    for second in range(2, 400):
        exchange.receives(b"a" * 2048, second)


def test_the_time_in_which_the_client_is_slower_does_not_count() -> None:
    exchange = Exchange()
    exchange.receives(HEAD, 1)
    exchange.receives(b"a", 30)
    exchange.limits.suspend()
    assert exchange.limits.next_deadline(1000) == 1030


def test_without_a_lowest_rate_only_silence_is_limited() -> None:
    exchange = Exchange(min_rate=0)
    exchange.receives(HEAD, 1)
    for second in range(29, 1000, 29):
        assert exchange.receives(b"a", second) == second + 30


@pytest.mark.parametrize(("held_back", "deadline"), [(0, 60), (20, 80), (9999, 3600), (math.inf, 3600)])
def test_a_request_may_ask_for_more_time_for_the_head(held_back: float, deadline: float) -> None:
    exchange = Exchange(held_back=held_back)
    assert exchange.deadline == deadline
    assert exchange.limits.exceeded() == f"sent nothing for {deadline} seconds"


@pytest.mark.parametrize("held_back", [0, math.inf])
def test_a_stream_has_its_own_limit_for_each_pause(held_back: float) -> None:
    exchange = Exchange(held_back=held_back)
    assert exchange.receives(EVENT_STREAM, 50) == 3650
    assert exchange.receives(b"a", 3000) == 6600
    assert exchange.limits.exceeded() == "sent nothing for 3600 seconds"


@pytest.mark.parametrize("head", [HEAD, LIVE, LIVE_CHUNKS])
def test_a_response_is_no_stream_only_because_its_request_asked_for_one(head: bytes) -> None:
    exchange = Exchange(held_back=math.inf)
    assert exchange.receives(head, 3000) == 3030
    assert not exchange.limits.may_be_endless


@pytest.mark.parametrize("head", [LIVE, LIVE_CHUNKS])
def test_a_slow_body_without_a_length_is_live_and_only_its_silence_is_limited(head: bytes) -> None:
    exchange = Exchange()
    exchange.receives(head, 1)
    for second in range(4, 31, 3):
        assert exchange.receives(b"1\r\na\r\n", second) == second + 30
        assert not exchange.limits.may_be_endless
    for second in range(31, 3600, 3):
        assert exchange.receives(b"1\r\na\r\n", second) == second + 30
        assert exchange.limits.may_be_endless
    assert exchange.limits.exceeded() == "sent nothing for 30 seconds"


def test_a_download_without_a_length_is_not_live() -> None:
    exchange = Exchange()
    exchange.receives(LIVE, 1)
    for second in range(2, 3600):
        exchange.receives(b"a" * 11, second)
        assert not exchange.limits.may_be_endless
