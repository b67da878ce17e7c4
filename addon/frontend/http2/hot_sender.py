"""Sends hot responses on one HTTP/2 connection, at once or not at all."""

from __future__ import annotations

from collections.abc import Callable

from addon.frontend.gateway.sites import Sites
from addon.frontend.http1.fast_path import FastPath
from addon.frontend.http2.hot_answers import Http2HotResponse, hot_frames
from addon.frontend.http2.limits import Budgets
from addon.origin.http2 import frames
from addon.origin.http2.outbound import Outbound
from addon.origin.http2.settings import PeerSettings


class HotSender:
    """Sends hot responses as long as the windows of the client have room for them."""

    __slots__ = ("_budgets", "_fast_path", "_outbound", "_settings", "_sites")

    def __init__(
        self, fast_path: FastPath, outbound: Outbound, settings: PeerSettings, budgets: Budgets, sites: Sites
    ) -> None:
        self._sites = sites
        self._fast_path = fast_path
        self._outbound = outbound
        self._settings = settings
        self._budgets = budgets

    def send(self, number: int, hot: Http2HotResponse, address: Callable[[], str], *, counted: bool = False) -> bool:
        """Send a hot response on a stream if it is still valid and there is room for it; return whether it was sent.

        `address` returns that of the client. `counted`: the request has been counted already, where a rule limits them.
        """
        fast_path, outbound, length = self._fast_path, self._outbound, len(hot.content)
        now = fast_path.clock()
        if (
            not fast_path.is_valid(hot, now)
            or length > outbound.window.size
            or length > self._settings.initial_window
            or outbound.confirms_table
        ):
            return False
        if hot.rate is not None and not counted and not self._sites.gates.admits(hot.rate, address()):
            return False
        outbound.window.size -= length
        outbound.write(*hot_frames(number, hot.block_at(now), hot.content))
        self._budgets.content_sent(1 + length // frames.MAX_FRAME)
        fast_path.count(hot, now, address, outbound.transport)
        return True
