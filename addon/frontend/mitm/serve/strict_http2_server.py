"""HTTP/2 with a client, by mitmproxy's reader, with the budgets of our own front end against floods of frames."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import h2.errors
import h2.events
from mitmproxy.proxy import events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers.http import Http2Server, ResponseData

from addon.config.http2 import Http2Settings
from addon.frontend.http2.limits import Budgets
from addon.origin.http2.faults import ConnectionFault

MAX_UNREAD = 67_108_864
"""Bytes of content that wait for a client with closed windows. mitmproxy cannot stop reading from origins meanwhile."""


class StrictHttp2Server(Http2Server):
    """A client's connection."""

    def __init__(self, context: Context, limits: Http2Settings, clock: Callable[[], float] | None = None) -> None:
        """Obey these limits. `clock` returns seconds."""
        super().__init__(context)
        self._budgets = Budgets(limits)
        self._clock = clock or asyncio.get_running_loop().time

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        """Send and receive, as long as the client reads."""
        yield from super()._handle_event(event)
        if isinstance(event, ResponseData) and self._unread() > MAX_UNREAD:
            message = f"The client has not read {MAX_UNREAD} bytes of content."
            yield from self.protocol_error(message, h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)

    def _unread(self) -> int:
        buffers = self.h2_conn.stream_buffers.values()
        return sum(len(piece.data) for buffer in buffers for piece in buffer)

    def handle_h2_event(self, event: h2.events.Event) -> CommandGenerator[bool]:
        """Handle a frame, if the client may send it. Return whether the connection has ended."""
        try:
            self._count(event)
        except ConnectionFault as fault:
            yield from self.protocol_error(str(fault), h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)
            return True
        return (yield from super().handle_h2_event(event))

    def _count(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.StreamReset():
                self._budgets.count_reset(self._clock())
            case h2.events.DataReceived():
                self._budgets.content_sent()
            case h2.events.PingReceived():
                self._budgets.count_ping(self._clock())
            case h2.events.RemoteSettingsChanged() | h2.events.PriorityUpdated() | h2.events.UnknownFrameReceived():
                self._budgets.count_control_frame(self._clock())
