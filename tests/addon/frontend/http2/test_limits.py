"""The budgets of a connection."""

from __future__ import annotations

import pytest

from addon.config.http2 import Http2Settings
from addon.frontend.http2.limits import Budgets
from addon.origin.http2.faults import ConnectionFault, ErrorCode
from cache.policy.reasons import Disconnected


def test_too_many_events_are_a_fault_with_its_reason() -> None:
    budgets = Budgets(Http2Settings(resets=2, control_frames=10))
    budgets.count_reset(0.0)
    budgets.count_reset(0.0)
    with pytest.raises(ConnectionFault) as fault:
        budgets.count_reset(0.0)
    assert (fault.value.code, fault.value.reason) == (ErrorCode.ENHANCE_YOUR_CALM, Disconnected.HTTP2_RESETS)


def test_window_updates_are_allowed_by_what_was_sent_however_late_they_come() -> None:
    budgets = Budgets(Http2Settings(control_frames=10))
    budgets.content_sent(1000)
    for _ in range(2000 + 10):
        budgets.count_window_update(0.0)
    with pytest.raises(ConnectionFault) as fault:
        budgets.count_window_update(0.0)
    assert fault.value.reason == Disconnected.HTTP2_CONTROL_FRAMES


def test_a_client_may_send_a_ping_for_each_frame_of_content() -> None:
    budgets = Budgets(Http2Settings(control_frames=10))
    budgets.content_sent(1000)
    for _ in range(1000 + 10):
        budgets.count_ping(0.0)
    with pytest.raises(ConnectionFault):
        budgets.count_ping(0.0)
