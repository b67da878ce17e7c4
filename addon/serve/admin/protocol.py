"""HTTP on a connection of the admin listener: that of uvicorn, with a time limit for request heads."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from email.utils import formatdate

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from addon.serve.admin.responses import FIELDS_OF_ALL, problem

HEAD_TIMEOUT = 10.0
"""Seconds in which a request head must arrive, counted from the connection or from the end of the request before."""

MAX_CONNECTIONS = 100
"""Connections that may be open. For one more, one on which no request is being answered is closed."""


class AdminProtocol(H11Protocol):
    """One connection. uvicorn itself waits for a request head for ever."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn declares it
        """Expect a request head from now on."""
        super().connection_made(transport)
        self._watch()
        if len(self.connections) > MAX_CONNECTIONS:
            others = (each for each in self.connections if isinstance(each, AdminProtocol) and each is not self)
            next((each for each in others if not each.answers), self).transport.close()

    def data_received(self, data: bytes) -> None:
        """Read bytes of the client."""
        super().data_received(data)
        self._watch()

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
        if self._deadline is not None:
            self._deadline.cancel()

    @property
    def answers(self) -> bool:
        """True while a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def _watch(self) -> None:
        """Set a deadline while no request is being answered, and none otherwise."""
        if self.answers and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        elif not self.answers and self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_TIMEOUT, self.transport.close)
