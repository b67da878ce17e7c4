"""Sends the content of a request, as fast as the origin takes it and for as long as it wants it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from addon.origin.content import RequestContent

_LAST_CHUNK = b"0\r\n\r\n"


class RequestBodySender:
    """Content on its way out over a transport.

    Attributes:
        whole: All of it was written.
        blocked: The origin takes nothing at the moment.
    """

    def __init__(
        self, content: RequestContent, transport: asyncio.WriteTransport, ended: Callable[[BaseException | None], None]
    ) -> None:
        """Begin. `ended` is called once all is written, or with what went wrong with the content."""
        self.whole = False
        self.blocked = False
        self._content = content
        self._transport = transport
        self._ended = ended
        self._ready = asyncio.Event()
        self._ready.set()
        self._task = asyncio.get_running_loop().create_task(self._run())

    def pause(self) -> None:
        """Wait: the origin is behind."""
        self.blocked = True
        self._ready.clear()

    def resume(self) -> None:
        """Go on."""
        self.blocked = False
        self._ready.set()

    def stop(self) -> None:
        """Send no more of it."""
        self._task.cancel()

    async def _run(self) -> None:
        failure: BaseException | None = None
        try:
            await self._send()
            self.whole = True
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the client's side raises ends the exchange, no more
            failure = error
        finally:
            await _closed(self._content.chunks)
        self._ended(failure)

    async def _send(self) -> None:
        length, sent = self._content.length, 0
        async for octets in self._content.chunks:
            sent += len(octets)
            if length is not None and sent > length:
                raise ValueError(f"the request's content is longer than {length} octets")
            if octets:
                self._transport.write(octets if length is not None else b"%x\r\n%b\r\n" % (len(octets), octets))
                await self._ready.wait()
        if length is None:
            self._transport.write(_LAST_CHUNK)
        elif sent < length:
            raise ValueError(f"the request's content ended after {sent} of {length} octets")


async def _closed(octets: AsyncIterator[bytes]) -> None:
    close = getattr(octets, "aclose", None)
    if close is not None:
        with suppress(Exception):  # it has failed already, or nobody wants the rest
            await close()
