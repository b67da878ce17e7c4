"""The windows of both sides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.origin.http2.faults import ConnectionFault, ErrorCode
from addon.origin.http2.flow_control import ReceiveWindow, SendWindow


def test_the_client_is_told_of_room_once_half_the_window_was_read() -> None:
    window = ReceiveWindow(100)
    window.take(100)
    assert [window.release(20), window.release(20), window.release(20)] == [0, 0, 60]
    window.take(60)
    with pytest.raises(ConnectionFault) as fault:
        window.take(1)
    assert fault.value.code == ErrorCode.FLOW_CONTROL_ERROR


def test_a_window_may_be_negative_but_not_larger_than_allowed() -> None:
    window = SendWindow(10)
    window.grow(-30)
    assert window.size == -20
    window.grow(2**31 - 1)
    with pytest.raises(ConnectionFault):
        window.grow(100)


@given(st.lists(st.integers(0, 50), max_size=20))
def test_what_passes_through_a_window_counts_as_taken_and_released(sizes: list[int]) -> None:
    passed, taken = ReceiveWindow(100), ReceiveWindow(100)
    for size in sizes:
        taken.take(size)
        assert passed.pass_through(size) == taken.release(size)
        assert passed.is_full == taken.is_full
    for window in (passed, taken):
        with pytest.raises(ConnectionFault):
            window.pass_through(101)
