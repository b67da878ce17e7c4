"""Tells which streams of a connection are ended because they do not move on, and hold what others need."""

from __future__ import annotations

from collections.abc import Iterable

from addon.frontend.http2.stream import Stream

MAX_UNREAD = 262_144
"""Bytes of content on one connection that its client does not read. With more, no further responses are begun."""

HOLDING_TIMEOUT = 10.0
"""Seconds for which an origin may take nothing of an upload that holds the window which other uploads need."""


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


def holder_of_window(streams: Iterable[Stream], now: float) -> Stream | None:
    """Return the upload that holds most of the full window of the connection, if another one waits for it."""
    streams = list(streams)
    holders = [each for each in streams if each.held and now >= each.held_since + HOLDING_TIMEOUT]
    if holders and any(each.awaits_content for each in streams):
        return max(holders, key=lambda each: each.held)
    return None


def unread(streams: Iterable[Stream]) -> int:
    """Return how many bytes of content wait for a client that does not read them."""
    return sum(stream.unread for stream in streams if not stream.is_read)


def least_read(streams: Iterable[Stream]) -> Stream | None:
    """Return the stream with most content that its client does not read, if there is too much of it."""
    streams = list(streams)
    stuck = [each for each in streams if each.unread and each.is_stuck]
    return max(stuck, key=lambda each: each.unread, default=None) if unread(streams) >= MAX_UNREAD else None
