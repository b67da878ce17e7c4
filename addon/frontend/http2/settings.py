"""The settings that a client is told (RFC 9113 §6.5.2)."""

from __future__ import annotations

from addon.config.http2 import Http2Settings
from addon.origin.http2 import frames
from addon.origin.http2.flow_control import DEFAULT_WINDOW
from addon.origin.http2.settings import INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, MAX_HEADER_LIST_SIZE

ENABLE_CONNECT_PROTOCOL = 8
"""RFC 8441 §3: clients may open WebSockets on this connection."""


def greeting(limits: Http2Settings, max_head: int) -> bytes:
    """Return the first frames of this side: its settings, and the connection's window.

    A request head may have `max_head` bytes, with 32 bytes added for each field (RFC 9113 §10.5.1).
    """
    values = {
        MAX_CONCURRENT_STREAMS: limits.streams,
        INITIAL_WINDOW_SIZE: limits.stream_window,
        MAX_HEADER_LIST_SIZE: max_head,
        ENABLE_CONNECT_PROTOCOL: 1,
    }
    return frames.settings_frame(values) + frames.window_frame(0, limits.connection_window - DEFAULT_WINDOW)
