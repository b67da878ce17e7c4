"""Exchanges with clients as they end, as server-sent events (HTML standard, section 9.2).

The processes are asked twice a second, and only while someone listens. A listener that reads too slowly loses the
oldest events that wait for it, and is told how many.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from addon.runtime.control import Handler
from addon.runtime.control_client import ControlError, table_in
from addon.serve.admin.responses import problem

logger = logging.getLogger(__name__)

INTERVAL = 0.5
"""Seconds between two questions for new exchanges."""

HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent: it shows that the connection is alive."""

MAX_LISTENERS = 20

MAX_WAITING = 2000
"""Events that may wait for one listener."""

_RETRY = b"retry: 2000\n\n"
"""Milliseconds after which a client connects again."""

_COMMENT = b": no new exchanges\n\n"


class Listener:
    """One client, with the events that wait for it."""

    def __init__(self) -> None:
        self._events: deque[bytes] = deque(maxlen=MAX_WAITING)
        self._lost = 0
        self._changed = asyncio.Event()
        self.is_closed = False

    def put(self, events: list[bytes], lost: int) -> None:
        """Add events, and a number of those that were lost before them."""
        self._lost += lost + max(0, len(self._events) + len(events) - MAX_WAITING)
        self._events.extend(events)
        self._changed.set()

    def close(self) -> None:
        """End the stream."""
        self.is_closed = True
        self._changed.set()

    async def next(self) -> bytes:
        """Return all that is to be sent now: events, or a comment after some time without any."""
        try:
            async with asyncio.timeout(HEARTBEAT):
                await self._changed.wait()
        except TimeoutError:
            return _COMMENT
        self._changed.clear()
        lost = [event_bytes("lost", {"count": self._lost})] if self._lost else []
        sent = b"".join([*lost, *self._events])
        self._lost = 0
        self._events.clear()
        return sent


class EventResponse(Response):
    """A response with events, until its client closes the connection, or the listener is closed.

    Starlette's own needs anyio, which does not work with the tasks of mitmproxy's event loop: they begin at once.
    """

    def __init__(self, listener: Listener) -> None:
        super().__init__(media_type="text/event-stream")
        del self.headers["content-length"]
        self._listener = listener

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        start: Message = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send(start)
        leaving = asyncio.get_running_loop().create_task(_client_leaves(receive))
        leaving.add_done_callback(lambda _: self._listener.close())
        try:
            await send({"type": "http.response.body", "body": _RETRY, "more_body": True})
            while not self._listener.is_closed:
                if sent := await self._listener.next():
                    await send({"type": "http.response.body", "body": sent, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            leaving.cancel()


async def _client_leaves(receive: Receive) -> None:
    """Return when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


class ExchangeStream:
    """The streams of all listeners."""

    def __init__(self, commands: Mapping[str, Handler]) -> None:
        self._commands = commands
        self._listeners: set[Listener] = set()
        self._asking: asyncio.Task[None] | None = None
        self._begun = asyncio.Event()
        """It is known which exchanges are older than all listeners."""

    async def response(self, *, head_only: bool = False) -> Response:
        """Return a response that goes on until the client closes the connection, or the proxy ends.

        It has all exchanges that end after its head was sent.
        """
        self._listeners = {each for each in self._listeners if not each.is_closed}
        if len(self._listeners) >= MAX_LISTENERS:
            return problem(503, f"{MAX_LISTENERS} clients listen already.", {"Retry-After": "10"})
        if head_only:
            return Response(media_type="text/event-stream")
        listener = Listener()
        self._listeners.add(listener)
        if self._asking is None or self._asking.done():
            self._begun.clear()
            self._asking = asyncio.get_running_loop().create_task(self._ask())
        await self._begun.wait()
        return EventResponse(listener)

    async def _ask(self) -> None:
        """Ask for new exchanges while anyone listens."""
        seen: object = None
        while self._listeners:
            self._listeners = {each for each in self._listeners if not each.is_closed}
            try:
                reply = await self._commands["exchanges"]({} if seen is None else {"after": seen})
                if seen is not None:
                    self._pass_on(reply)
                seen = {**table_in(seen), **table_in(reply["last"])}
            except (ControlError, ValueError):
                pass  # no process serves clients at the moment
            except Exception:  # also a fault of ours: if this task ended, all streams would be silent
                logger.exception("new exchanges are not passed on")
            self._begun.set()
            await asyncio.sleep(INTERVAL)

    def _pass_on(self, reply: Mapping[str, object]) -> None:
        exchanges = reply["exchanges"]
        events = [event_bytes("exchange", each) for each in exchanges] if isinstance(exchanges, list) else []
        lost = int(str(reply["lost"]))
        if events or lost:
            for listener in self._listeners:
                listener.put(events, lost)

    async def close(self) -> None:
        """End all streams."""
        for listener in self._listeners:
            listener.close()
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)


def event_bytes(name: str, data: object) -> bytes:
    """Return an event with a value as JSON, which has no line breaks."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
