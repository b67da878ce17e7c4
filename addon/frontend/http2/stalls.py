"""Tells which streams of a connection are ended because they do not move on, and hold what others need."""

from __future__ import annotations

from collections.abc import Iterable

from addon.frontend.http2.stream import Stream

MAX_UNREAD = 131_072
"""Bytes of content on one connection that its client does not read. With more, no further responses are begun."""

HOLDING_TIMEOUT = 10.0
"""Seconds for which an origin may take nothing of an upload that holds the window which other uploads need."""


def to_reset(streams: list[Stream], now: float, *, window_is_full: bool, others_wait: bool) -> list[tuple[Stream, str]]:
    """Return the streams that are ended now, each with a sentence for the log. To be called once a second or so.

    Args:
        streams: The open streams of a connection.
        now: The event loop's clock.
        window_is_full: The client may send no more content on the connection.
        others_wait: Responses wait to be begun.
    """
    for stream in streams:
        stream.look(now)
    found = dict.fromkeys(overdue(streams, now, window_is_full=window_is_full), "a client sends or reads too slowly")
    left = [each for each in streams if each not in found]
    holder = holder_of_window(left, now) if window_is_full else None
    if holder is not None:
        found[holder] = "an origin does not take content that holds the window of other requests"
    stuck = least_read(left) if others_wait else None
    if stuck is not None:
        found[stuck] = "a client does not read a response, and asks for others"
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
