"""The table `[http2]`: what one HTTP/2 connection of a client may demand."""

from __future__ import annotations

from pydantic import Field

from addon.config.model import Section
from addon.config.units import PositiveSeconds, Size
from addon.origin.http2.flow_control import DEFAULT_WINDOW, MAX_WINDOW


class Http2Settings(Section):
    """The table `[http2]`. Sizes are in bytes."""

    streams: int = Field(default=128, ge=1)
    """Requests under way at the same time."""
    head_bytes: Size = Field(default=262_144, ge=65_536)
    """Bytes of the heads of all requests under way together."""
    continuation_frames: int = Field(default=8, ge=4)
    """CONTINUATION frames of one header block."""
    resets: int = Field(default=200, ge=1)
    """Streams in a burst that the client resets, or that are malformed or refused."""
    resets_per_second: int = Field(default=20, ge=0)
    control_frames: int = Field(default=1000, ge=10)
    """Frames in a burst that carry neither a request nor content."""
    control_frames_per_second: int = Field(default=50, ge=0)
    stream_window: Size = Field(default=262_144, ge=1, le=MAX_WINDOW)
    """Content of one request that may wait for the origin."""
    connection_window: Size = Field(default=524_288, ge=DEFAULT_WINDOW, le=MAX_WINDOW)
    """Content of all requests together that may wait for origins."""
    unread: Size = Field(default=131_072, ge=16_384)
    """Content that the client does not read, with which no further responses are begun."""
    hold_timeout: PositiveSeconds = 10
    """Seconds for which an origin may take nothing of an upload that holds the window of the connection."""
