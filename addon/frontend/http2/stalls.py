"""Tells which streams of a connection are ended because they do not move on, and hold what others need."""

from __future__ import annotations

from collections.abc import Iterable

from addon.config.http2 import Http2Settings
from addon.frontend.http2.stream import Stream
from cache.policy.reasons import StreamReset


def to_reset(
    streams: list[Stream], now: float, limits: Http2Settings, *, window_is_full: bool, others_wait: bool
) -> list[tuple[Stream, StreamReset]]:
    """Return the streams that are ended now, each with the reason. To be called once a second or so.

    Args:
        streams: The open streams of a connection.
        now: The event loop's clock.
        limits: What the connection may demand.
        window_is_full: The client may send no more content on the connection.
        others_wait: Responses wait to be begun.
    """
    for stream in streams:
        stream.look(now)
    found = dict.fromkeys(overdue(streams, now, window_is_full=window_is_full), StreamReset.HTTP2_TOO_SLOW)
    left = [each for each in streams if each not in found]
    holder = holder_of_window(left, now, limits.hold_timeout) if window_is_full else None
    if holder is not None:
        found[holder] = StreamReset.HTTP2_UPLOAD_HELD
    stuck = least_read(left, limits.unread) if others_wait else None
    if stuck is not None:
        found[stuck] = StreamReset.HTTP2_UNREAD
    return list(found.items())


def overdue(streams: Iterable[Stream], now: float, *, window_is_full: bool) -> list[Stream]:
    """Return the streams whose client was too slow, and restart the deadlines of the others that have passed.

    A client that may not send is not slow: with `window_is_full`, other uploads hold the window of the connection.
    """
    found = []
    for stream in [each for each in streams if each.deadline <= now]:
        if stream.is_stalled() and not (window_is_full and stream.awaits_content):
            found.append(stream)
        else:
            stream.restart_deadline()
    return found


def holder_of_window(streams: Iterable[Stream], now: float, timeout: float) -> Stream | None:
    """Return the stream that has held most of the full window for `timeout` seconds, if others need it.

    Tunnels and responses that have begun count among these, because their clients may send at any time.
    """
    streams = list(streams)
    holders = [each for each in streams if each.held and now >= each.held_since + timeout]
    if holders and any(each.is_kept_from_sending for each in streams):
        return max(holders, key=lambda each: each.held)
    return None


def unread(streams: Iterable[Stream]) -> int:
    """Return how many bytes of content wait for a client that does not read them."""
    return sum(stream.unread for stream in streams if not stream.is_read)


def least_read(streams: Iterable[Stream], limit: int) -> Stream | None:
    """Return the stream with most content that its client does not read, if all have `limit` bytes of it or more."""
    streams = list(streams)
    stuck = [each for each in streams if each.unread and each.is_stuck]
    return max(stuck, key=lambda each: each.unread, default=None) if unread(streams) >= limit else None
