"""HTTP on a connection of the admin listener: that of uvicorn, with time limits for clients."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from email.utils import formatdate
from typing import cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from addon.serve.admin.responses import FIELDS_OF_ALL, problem

HEAD_TIMEOUT = 10.0
"""Seconds in which a request head must arrive, counted from the connection or from the end of the request before."""

MAX_CONNECTIONS = 100
"""Connections that may be open. For one more, one is closed whose client has no request, or does not read."""

WRITE_TIMEOUT = 60.0
"""Seconds for which a client may leave a response unread, once more of it waits than is kept for a connection."""


class AdminProtocol(H11Protocol):
    """One connection. uvicorn itself waits for ever, for a request head and for a client that does not read."""

    _deadline: asyncio.TimerHandle | None = None
    _write_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Expect a request head from now on."""
        super().connection_made(cast("asyncio.Transport", transport))  # uvloop's is no subclass of it
        self._watch()
        if len(self.connections) > MAX_CONNECTIONS:
            others = (each for each in self.connections if isinstance(each, AdminProtocol) and each is not self)
            next((each for each in others if each.may_be_closed), self).transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read bytes of the client."""
        super().data_received(data)
        self._watch()

    def pause_writing(self) -> None:
        """Expect the client to read from now on."""
        super().pause_writing()
        self._write_deadline = self.loop.call_later(WRITE_TIMEOUT, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        super().resume_writing()
        if self._write_deadline is not None:
            self._write_deadline.cancel()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that is not HTTP, or whose head is too large, and close the connection."""
        response = problem(400, msg)
        fields = [*FIELDS_OF_ALL, ("Date", formatdate(usegmt=True)), ("Connection", "close")]
        lines = [*response.raw_headers, *((name.encode(), value.encode()) for name, value in fields)]
        head = h11.Response(status_code=400, headers=lines, reason=b"Bad Request")
        events = (head, h11.Data(data=bytes(response.body)), h11.EndOfMessage())
        with suppress(h11.LocalProtocolError):  # a response to the same request has begun already
            self.transport.write(b"".join(self.conn.send(event) or b"" for event in events))
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        super().connection_lost(exc)
        for each in (self._deadline, self._write_deadline):
            if each is not None:
                each.cancel()

    @property
    def answers(self) -> bool:
        """True while a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def may_be_closed(self) -> bool:
        """True while no request is being answered, or its response waits for the client to read."""
        return not self.answers or self.flow.write_paused

    def _watch(self) -> None:
        """Set a deadline while no request is being answered, and none otherwise."""
        if self.answers and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        elif not self.answers and self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_TIMEOUT, self.transport.close)
