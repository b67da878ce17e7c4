"""The state of one response while it arrives, and the waiting of its reader."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from addon.origin.errors import FailureKind, OriginFailure
from addon.origin.head_form import FormedHead
from addon.origin.options import OriginOptions
from addon.origin.response_head import MalformedResponse
from cache.answer.responses import ErrorParameters
from cache.http.messages import Fields, Response

SMALL_BODY = 65_536
"""Bytes. A body up to this size is waited for, so that it can be passed on in one piece."""

SMALL_BODY_WAIT = 0.02
"""Seconds to wait for the rest of a small body."""

_NO_FIELDS = Fields()


class ResponseBuffer:
    """Holds what has arrived of a response. The connection writes to it; one reader takes the data out.

    Attributes:
        head: The final response's head, or None before it is complete.
        trailers: The fields of the trailer section, kept apart from the head (RFC 9110 §6.5.1).
        complete: The message was received to its end.
        failure: The reason why the message will never be complete, or None.
        surplus: Data followed the complete message; the connection must not be used again.
        persistent: The message allows another request on the same connection.
        received: Bytes received so far, interim responses included.
        buffered: Bytes of the body that the reader has not taken yet.
        read_leniently: The response was accepted only because of `origin.lenient`, as far as it has arrived.
        interim_count: Number of interim responses so far.
        held_back: Seconds for which the head may be held back, besides the usual time. It may be set at the beginning.
        formed_head: The final head with its form, if it has a usual size and was not read leniently.
    """

    # what is the same in the beginning is set in the class: a buffer is made for each request
    head: Response | None = None
    trailers = _NO_FIELDS
    complete = False
    failure: OriginFailure | None = None
    surplus = False
    persistent = False
    received = 0
    buffered = 0
    read_leniently = False
    interim_count = 0
    held_back = 0.0
    formed_head: FormedHead | None = None
    _wait_for_body = False
    _reader: asyncio.Future[None] | None = None

    def __init__(
        self,
        where: str,
        options: OriginOptions,
        on_interim: Callable[[Response], None] | None = None,
        on_progress: Callable[[], None] | None = None,
    ) -> None:
        """Expect a response.

        Args:
            where: The name of the origin in error messages.
            options: The size limits, and whether the origin is read leniently.
            on_interim: Called with the head of each 1xx response before the final one.
            on_progress: Called when data arrived or the exchange ended, for a reader that does not wait in a task.
        """
        self._options = options
        self._on_interim = on_interim
        self._on_progress = on_progress
        self._where = where
        self._chunks: deque[bytes] = deque()

    def stop_reporting(self) -> None:
        """Call `on_progress` and `on_interim` no more. Their owner is then freed without garbage collection."""
        self._on_progress = self._on_interim = None

    @property
    def has_length(self) -> bool:
        """Return whether the head has come and tells the length of the body."""
        return self.head is not None and "content-length" in self.head.fields

    @property
    def finished(self) -> bool:
        """Return whether nothing more will come: the message is complete or has failed."""
        return self.complete or self.failure is not None

    def fail(self, kind: FailureKind, predicate: str, parameters: ErrorParameters = ()) -> None:
        """Mark the response as failed, unless it is finished. `predicate` completes the sentence `<origin> ...`."""
        if self.finished:
            return
        unreachable = kind in {FailureKind.CONNECTION_TERMINATED, FailureKind.CONNECTION_READ_TIMEOUT}
        self.failure = OriginFailure(
            kind,
            f"{self._where} {predicate}",
            disconnected=unreachable and self.head is None,
            parameters=parameters,
        )
        self._wake_reader()

    async def received_head(self) -> Response:
        """Return the final head once it has come, and a small body with it if that comes soon. Raises OriginFailure."""
        while self.head is None:
            if self.failure:
                raise self.failure
            await self.wait_for_progress()
        await self.wait_for_small_body()
        return self.head

    def take_chunk(self) -> bytes | None:
        """Remove and return the next piece of the body, or None if the buffer is empty."""
        if not self._chunks:
            return None
        chunk = self._chunks.popleft()
        self.buffered -= len(chunk)
        return chunk

    def whole(self) -> bytes | None:
        """Return the whole body, or None if the message is not complete. No piece may be taken before or after."""
        if not self.complete:
            return None
        if len(self._chunks) != 1:
            self._chunks = deque((b"".join(self._chunks),))
        return self._chunks[0]

    @property
    def rejects_request_body(self) -> bool:
        """Return whether the response's status says that the origin does not want the rest of the request."""
        return self.head is not None and self.head.status >= 300

    def awaits_small_body(self) -> bool:
        """Return whether a small body is still incomplete, and its reader should wait a moment for the rest."""
        return not self.complete and self._wait_for_body and self.failure is None

    def stop_waiting_for_body(self) -> None:
        """End the waiting for a small body: the reader gets what has arrived."""
        self._wait_for_body = False
        self._wake_reader()
        self.notify()

    def notify(self) -> None:
        """Call `on_progress`, if it is set."""
        if self._on_progress is not None:
            self._on_progress()

    async def wait_for_small_body(self) -> None:
        """Wait up to `SMALL_BODY_WAIT` seconds until a small body is complete: one piece costs less than several."""
        if self.awaits_small_body():
            timer = asyncio.get_running_loop().call_later(SMALL_BODY_WAIT, self.stop_waiting_for_body)
            while self.awaits_small_body():
                await self.wait_for_progress()
            timer.cancel()

    async def wait_for_progress(self) -> None:
        """Wait until data arrives or the response is finished."""
        self._reader = asyncio.get_running_loop().create_future()
        try:
            await self._reader
        finally:
            self._reader = None

    def _forward_interim(self, interim: Response) -> None:
        """Pass an interim response on (RFC 9110 §15.2). Raises MalformedResponse if there are too many."""
        self.interim_count += 1
        if self.interim_count > self._options.max_interim:
            raise MalformedResponse(f"sent more than {self._options.max_interim} interim responses")
        if self._on_interim is not None:
            self._on_interim(interim)

    def _append(self, content: bytes) -> None:
        if content:
            self.buffered += len(content)
            self._chunks.append(content)

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
