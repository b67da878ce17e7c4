"""The time limits of one exchange: what the origin must do next, and in how many seconds.

- A response head must be complete within `first_byte_timeout`, however many pieces it comes in. An interim response
  starts the time anew, since it says that the origin is at work. A request can ask for more time, up to
  `stream_timeout`.
- After the first byte, no pause may be longer than `between_bytes_timeout`, and in a stream than `stream_timeout`.
- In each `between_bytes_timeout`, a body with a Content-Length must have `min_rate` bytes a second on average. A body
  whose end is not known may be slower. It is live then, like a growing log.
"""

from __future__ import annotations

from typing import Protocol

from addon.origin.options import OriginOptions
from cache.http.messages import Response
from cache.rules.streams import is_stream


class Progress(Protocol):
    """The part of a response that has arrived."""

    @property
    def head(self) -> Response | None:
        """The head of the final response, once it is complete."""

    @property
    def received(self) -> int:
        """Bytes received so far."""

    @property
    def has_length(self) -> bool:
        """The length of the body is known."""

    @property
    def interim_count(self) -> int:
        """Number of interim responses so far."""

    @property
    def held_back(self) -> float:
        """Seconds for which the head may be held back, besides the usual time."""


class TimeLimits:
    """The limits for the response to one request. Times are those of the event loop, in seconds.

    Attributes:
        is_live: The body has no known end, and had less than the lowest rate.
    """

    __slots__ = (
        "_head_time",
        "_head_until",
        "_heads",
        "_is_stream",
        "_mark",
        "_options",
        "_response",
        "_until",
        "is_live",
    )

    def __init__(self, response: Progress, options: OriginOptions) -> None:
        self.is_live = False
        self._response = response
        self._options = options
        self._is_stream: bool | None = None
        """True if the body is a stream; None before it begins."""
        usual = options.first_byte_timeout
        self._head_time = min(usual + response.held_back, max(usual, options.stream_timeout))
        self._head_until = 0.0
        self._heads = -1
        """Interim responses before the head that `_head_until` is for."""
        self._until: float | None = None
        """The end of the present time of `between_bytes_timeout` seconds, in which the body has a lowest rate."""
        self._mark = 0
        """Bytes received before that time."""

    @property
    def may_be_endless(self) -> bool:
        """Return whether the body has begun, and is a stream or live."""
        return bool(self._is_stream) or self.is_live

    def suspend(self) -> None:
        """Stop the time: the origin waits for this side. It starts anew with the next call of `next_deadline`."""
        self._heads, self._until = -1, None

    def next_deadline(self, now: float) -> float:
        """Return when the time of the origin is over, after what it has sent until `now`."""
        return self._for_head(now) if self._response.head is None else self._for_body(now)

    def exceeded(self) -> str:
        """Return what the origin did too slowly, as the predicate of a sentence, when its time is over."""
        response = self._response
        if response.head is None:
            if response.received:
                return "did not send a whole response head in time"
            return f"sent nothing for {self._head_time:g} seconds"
        if response.received == self._mark or not response.has_length:
            return f"sent nothing for {self._pause():g} seconds"
        seconds = self._options.between_bytes_timeout
        return f"sent less than {self._least()} bytes in {seconds:g} seconds (origin.min_rate)"

    def _for_head(self, now: float) -> float:
        response = self._response
        if self._heads != response.interim_count:
            self._heads, self._head_until = response.interim_count, now + self._head_time
        if response.held_back or not response.received:
            return self._head_until
        return min(self._head_until, now + self._options.between_bytes_timeout)

    def _for_body(self, now: float) -> float:
        response = self._response
        if self._is_stream is None:
            self._is_stream = response.head is not None and is_stream(response.head)
        if self._is_stream or self._until is None or response.received - self._mark >= self._least():
            self._until, self._mark = now + self._pause(), response.received
        elif response.has_length:
            return self._until
        elif now >= self._until:
            self.is_live = True
        return now + self._pause()

    def _least(self) -> int:
        return int(self._options.min_rate * self._options.between_bytes_timeout)

    def _pause(self) -> float:
        """Return the longest pause within the body."""
        options = self._options
        return options.stream_timeout if self._is_stream else options.between_bytes_timeout
