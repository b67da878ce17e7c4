"""The time limits of one exchange: what the origin must do next, and in how many seconds.

- A response head must be complete within `first_byte_timeout`, however many pieces it comes in. An interim response
  starts the time anew, since it says that the origin is at work.
- After the first byte, no pause may be longer than `between_bytes_timeout`.
- In each `between_bytes_timeout`, a body must have `min_rate` bytes a second on average.
- A stream has only `stream_timeout`, for its head and for each pause.
"""

from __future__ import annotations

from addon.origin.options import OriginOptions
from addon.origin.response_reader import ResponseReader
from cache.rules.streams import is_stream


class TimeLimits:
    """The limits for the response to one request. Times are those of the event loop, in seconds."""

    __slots__ = ("_head_until", "_heads", "_is_stream", "_mark", "_options", "_response", "_until")

    def __init__(self, response: ResponseReader, options: OriginOptions) -> None:
        self._response = response
        self._options = options
        self._is_stream: bool | None = None
        """Whether the body is a stream; None before it begins."""
        self._head_until = 0.0
        self._heads = -1
        """Interim responses before the head that `_head_until` is for."""
        self._until: float | None = None
        """The end of the present time of `between_bytes_timeout` seconds, in which the body has a lowest rate."""
        self._mark = 0
        """Bytes received before that time."""

    @property
    def is_stream(self) -> bool:
        """Return whether the exchange is a stream, as far as is known."""
        return self._response.awaits_stream if self._is_stream is None else self._is_stream

    def suspend(self) -> None:
        """Stop the time: the origin waits for this side. It starts anew with the next call of `next_deadline`."""
        self._heads, self._until = -1, None

    def next_deadline(self, now: float) -> float:
        """Return when the time of the origin is over, after what it has sent until `now`."""
        return self._for_head(now) if self._response.head is None else self._for_body(now)

    def exceeded(self) -> str:
        """Return what the origin did too slowly, as the predicate of a sentence, when its time is over."""
        options, response = self._options, self._response
        if response.head is None:
            if response.received:
                return "did not send a whole response head in time"
            limit = options.stream_timeout if response.awaits_stream else options.first_byte_timeout
            return f"sent nothing for {limit:g} seconds"
        if response.received == self._mark:
            return f"sent nothing for {self._pause():g} seconds"
        seconds = options.between_bytes_timeout
        return f"sent less than {self._least()} bytes in {seconds:g} seconds (origin.min_rate)"

    def _for_head(self, now: float) -> float:
        options, response = self._options, self._response
        if self._heads != response.interim_count:
            limit = options.stream_timeout if response.awaits_stream else options.first_byte_timeout
            self._heads, self._head_until = response.interim_count, now + limit
        if response.awaits_stream or not response.received:
            return self._head_until
        return min(self._head_until, now + options.between_bytes_timeout)

    def _for_body(self, now: float) -> float:
        received = self._response.received
        if self._is_stream is None:
            self._is_stream = self._begins_stream()
        is_in_time = self._until is None or received - self._mark >= self._least()
        if is_in_time or self._is_stream or not self._options.min_rate:
            self._until, self._mark = now + self._pause(), received
        return self._until or now

    def _begins_stream(self) -> bool:
        head = self._response.head
        return head is not None and (
            is_stream(head) or (self._response.awaits_stream and "content-length" not in head.fields)
        )

    def _least(self) -> int:
        return int(self._options.min_rate * self._options.between_bytes_timeout)

    def _pause(self) -> float:
        """Return the longest pause within the body."""
        options = self._options
        return options.stream_timeout if self._is_stream else options.between_bytes_timeout
