"""The content of a request, and the task that sends it to an origin.

The sender writes as fast as the origin reads, and stops when the origin rejects the request.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass

_LAST_CHUNK = b"0\r\n\r\n"


class BrokenRequestBody(Exception):
    """The client disconnected, or broke its framing, before its content was complete."""


@dataclass(frozen=True, slots=True)
class RequestContent:
    """The content of a request as an iterator, and its length if known. It is framed anew (RFC 9112 §6)."""

    chunks: AsyncIterator[bytes]
    """Read as fast as the origin accepts data. It is closed if it has `aclose`.

    It raises BrokenRequestBody if the client does not send all of it; then the exchange fails.
    """
    length: int | None = None
    """Bytes in total. None means that the length is unknown; the content is then sent in chunks."""


class RequestBodySender(ABC):
    """Task that sends the content of one request.

    Attributes:
        begun: The content was asked for its first part, so it cannot be sent another time.
        finished: All of the content was written.
        blocked: The origin reads too slowly: nothing can be written now.
    """

    def __init__(self, content: RequestContent, on_end: Callable[[BaseException | None], None]) -> None:
        """Start to send. `on_end` is called when everything was written, or with the error if the content failed."""
        self.begun = False
        self.finished = False
        self.blocked = False
        self._content = content
        self._on_end = on_end
        self._task = asyncio.get_running_loop().create_task(self._run())

    @abstractmethod
    async def _write(self, chunk: bytes) -> None:
        """Write a piece of the content as soon as the origin takes it."""

    @abstractmethod
    def _write_end(self) -> None:
        """Write what follows the content."""

    def stop(self) -> None:
        """Send no more content; `on_end` is not called."""
        self._task.cancel()

    async def _run(self) -> None:
        failure: BaseException | None = None
        try:
            await self._send()
            self.finished = True
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - the iterator is the client's; any error of it ends this exchange only
            failure = error
        finally:
            await _close(self._content.chunks)
        self._on_end(failure)

    async def _send(self) -> None:
        length, sent = self._content.length, 0
        self.begun = True
        async for chunk in self._content.chunks:
            sent += len(chunk)
            if length is not None and sent > length:
                raise ValueError(f"the request's content is longer than {length} bytes")
            if chunk:
                await self._write(chunk)
        if length is not None and sent < length:
            raise ValueError(f"the request's content ended after {sent} of {length} bytes")
        self._write_end()


class Http1BodySender(RequestBodySender):
    """Task that writes the content of one request to a transport, in chunks if its length is not known."""

    def __init__(
        self, content: RequestContent, transport: asyncio.WriteTransport, on_end: Callable[[BaseException | None], None]
    ) -> None:
        """Start to send, as `RequestBodySender` does."""
        self._transport = transport
        self._writable = asyncio.Event()
        self._writable.set()
        super().__init__(content, on_end)

    def pause(self) -> None:
        """Stop writing until `resume`, because the write buffer is full."""
        self.blocked = True
        self._writable.clear()

    def resume(self) -> None:
        """Continue to write."""
        self.blocked = False
        self._writable.set()

    async def _write(self, chunk: bytes) -> None:
        in_chunks = self._content.length is None
        self._transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if in_chunks else chunk)
        await self._writable.wait()

    def _write_end(self) -> None:
        if self._content.length is None:
            self._transport.write(_LAST_CHUNK)


async def _close(chunks: AsyncIterator[bytes]) -> None:
    close = getattr(chunks, "aclose", None)
    if close is not None:
        with suppress(Exception):  # the iterator has failed already, or the rest of it is not needed
            await close()
