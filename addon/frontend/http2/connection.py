"""One HTTP/2 client connection: takes the client's frames in turns with other connections, and ends in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from math import inf
from typing import cast

from addon.frontend.connection_limits import address_of
from addon.frontend.connections import HEAD_TIMEOUT, IDLE_TIMEOUT, LINGER, STALL_TIMEOUT, has_unread_input
from addon.frontend.http1.request_target import RequestTargets
from addon.frontend.http2 import connection_state as states
from addon.frontend.http2 import limits, settings
from addon.frontend.http2.connection_state import Event, State
from addon.frontend.http2.handler import Http2Handler
from addon.frontend.http2.requests import Requests
from addon.frontend.http2.stream import STORED_CHUNK
from addon.frontend.http2.streams import Streams
from addon.origin.http2 import frames
from addon.origin.http2.control_frames import ControlFrames, check
from addon.origin.http2.faults import ConnectionFault, ErrorCode, over_budget
from addon.origin.http2.frame_reader import Frame, FrameReader
from addon.origin.http2.outbound import Outbound
from addon.origin.http2.settings import PeerSettings
from cache.policy.reasons import Disconnected

logger = logging.getLogger(__name__)

MAX_INPUT = 65_536
"""Bytes that may wait to be taken before reading is paused."""

CHECK_INTERVAL = 1.0
"""Seconds after which the deadlines of streams are looked at again."""


class Http2Connection(asyncio.Protocol):
    """A client that speaks HTTP/2, in clear text or inside TLS that was terminated here."""

    outbound: Outbound
    streams: Streams

    def __init__(self, handler: Http2Handler, targets: RequestTargets) -> None:
        self._handler = handler
        self._connections = handler.frontend.connections
        self._targets = targets
        self._state = State.GREETING
        self._reader = FrameReader(handler.head_limits.head, handler.limits.continuation_frames, preface=frames.PREFACE)
        self._settings = PeerSettings()
        self._budgets = limits.Budgets(handler.limits)
        self.loading = asyncio.Semaphore(max(1, handler.limits.unread // STORED_CHUNK))
        self._in_line = False
        """It waits for its turn."""
        self._postponed: Frame | None = None
        """A long header block, which is taken in a turn of the line."""
        self._incomplete_since: float | None = None
        """Since when a part of a frame, or of a header block, is waiting for its end."""
        self._active_at = self._connections.now
        self._idle_timeout = IDLE_TIMEOUT
        self.deadline = self._active_at + HEAD_TIMEOUT
        self._address = ""
        self._taking: dict[int, Callable[[Frame], None]] = {
            frames.SETTINGS: self._take_settings,
            frames.GOAWAY: self._take_goaway,
            frames.PUSH_PROMISE: self._take_push_promise,
        }

    def _move(self, event: Event) -> None:
        self._state = states.MOVES[self._state][event]

    # ---- called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Use this transport."""
        usable = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        self.outbound = Outbound(usable, self._budgets.content_sent)
        self.streams = Streams(self._handler, self, self._settings, self._budgets)
        self._requests = Requests(
            self._handler, self._targets, self, self.streams, settings=self._settings, budgets=self._budgets
        )
        self._control = ControlFrames(self.outbound, self._settings, self._budgets, self.streams, self.now)
        self._taking |= self.streams.taking
        self._taking[frames.HEADERS] = self._requests.take_headers
        self._taking[frames.PING] = self._control.take_ping
        self._taking[frames.WINDOW_UPDATE] = self._control.take_window_update
        self._connections.add(self)
        self.outbound.write(settings.greeting(self._handler.limits, self._handler.head_limits.head))

    def data_received(self, data: bytes) -> None:
        """Take the frames that have arrived, unless others wait for their turn already."""
        if self._state is State.CLOSED:
            return
        self._reader.feed(data)
        if not self._in_line and not self.outbound.blocked:
            self._take_turn()
        elif self._reader.waiting > MAX_INPUT:
            self.outbound.transport.pause_reading()

    def eof_received(self) -> bool:
        """Answer no further request; return whether the connection stays open for responses under way."""
        self._move(Event.LAST)
        self.streams.end_uploads()
        return bool(self.streams)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget the connection, and stop the responses that are for this client only."""
        self._connections.discard(self)
        self._connections.limits.release(self.outbound.transport)
        self.deadline = inf
        self._move(Event.CLOSE)
        if self._in_line:
            self._handler.turns.leave(self)
        self._drop_input()
        self.streams.end_all()

    def pause_writing(self) -> None:
        """Take no further frames while the client does not read."""
        self.outbound.blocked = True
        self.outbound.transport.pause_reading()
        if self._state is not State.CLOSED:
            self.deadline = self._connections.now + STALL_TIMEOUT

    def resume_writing(self) -> None:
        """Go on: the client reads."""
        self.outbound.blocked = False
        if self._state is State.CLOSED:
            return
        self.streams.restart_deadlines()
        self.outbound.wake_waiting()
        if not self._in_line:
            self._take_turn()

    # ---- called by the listener, when the deadline has passed or the proxy stops

    def expire(self) -> None:
        """End what was too slow: the connection, or single streams."""
        now, incomplete = self._connections.now, self._incomplete_since
        if self._state is State.CLOSED or self.outbound.blocked:
            self.abort()
        elif self._state is State.GREETING:
            self._fail(ConnectionFault(ErrorCode.PROTOCOL_ERROR, "The client's settings did not arrive in time."))
        elif incomplete is not None and now >= incomplete + HEAD_TIMEOUT:
            self._fail(ConnectionFault(ErrorCode.PROTOCOL_ERROR, "A frame did not arrive in time."))
        elif not self.streams and now >= self._active_at + self._idle_timeout:
            self.finish()
        else:
            self.streams.expire(now)
            self._set_deadline()

    def finish(self) -> None:
        """End as soon as the responses under way are sent."""
        if self._state in (State.GREETING, State.OPEN):
            self.outbound.write(frames.goaway_frame(self.streams.last, ErrorCode.NO_ERROR))
        self._move(Event.LAST)
        self.close_if_done()

    def end_if_idle(self) -> None:
        """End if the client has sent nothing for some seconds."""
        if self._is_unused and self._connections.now >= self._active_at + LINGER:
            self.finish()

    def abort(self) -> None:
        """End at once."""
        self.outbound.transport.abort()

    def close_if_done(self) -> None:
        """Close once no request may follow and the last stream has ended."""
        self._retire()
        if self._state is State.FINISHING and not self.streams:
            self._move(Event.CLOSE)
            self._drop_input()
            self.outbound.flush()
            if self._connections.is_retiring:
                # the client may be sending: closing now would reset the connection before it has read GOAWAY
                self.deadline = self._connections.now + LINGER
                return
            self.outbound.transport.close()
            self.deadline = self._connections.now + STALL_TIMEOUT  # for the client to read what is left

    def _retire(self) -> None:
        """End between two requests if there is no more time to wait until the client is idle.

        Others may be on their way. The client may send them again after GOAWAY, but not every client does so.
        """
        if self._connections.is_out_of_time and self._is_unused:
            self.finish()

    @property
    def _is_unused(self) -> bool:
        """Return whether no request is under way, and nothing of one has arrived."""
        if self._state is not State.OPEN or self.streams:
            return False
        reader = self._reader
        arriving = reader.waiting or reader.inside_block or self._postponed
        return not arriving and not has_unread_input(self.outbound.transport)

    def _fail(self, fault: ConnectionFault) -> None:
        """Tell the client what it did wrong, and end."""
        logger.info("an HTTP/2 connection is ended: %s", fault)
        self._handler.frontend.service.counters.count(f"disconnected.{fault.reason}")
        self._move(Event.CLOSE)
        outbound = self.outbound
        outbound.write(frames.goaway_frame(self.streams.last, fault.code, f"{fault.reason}: {fault}"))
        outbound.flush()
        self.streams.end_all()
        self._drop_input()
        # what the client still sends is not read: closing now would reset the connection before it has read GOAWAY
        outbound.transport.pause_reading()
        if outbound.transport.can_write_eof():
            outbound.transport.write_eof()
        self.deadline = self._connections.now + LINGER

    def _drop_input(self) -> None:
        """Forget what the client has sent: no more of it is taken."""
        self._reader.drop()
        self._postponed = None

    # ---- turns

    def wait_for_turn(self) -> None:
        """Go on when it is the connection's turn."""
        if not self._in_line and not self.outbound.blocked and self._state is not State.CLOSED:
            self._in_line = True
            self._handler.turns.wait(self)

    def take_turn_in_line(self) -> None:
        """Go on, after those that have waited longer."""
        self._in_line = False
        if not self.outbound.blocked:
            self._take_turn(in_line=True)

    def _take_turn(self, *, in_line: bool = False) -> None:
        """Take frames until there are none, or until other connections should have their turn."""
        requests = self._requests
        requests.work = limits.WORK_PER_TURN
        try:
            while requests.work > 0 and not self.outbound.blocked and self._state is not State.CLOSED:
                frame = self._postponed or self._reader.next()
                if frame is None:
                    break
                if not in_line and frame.kind == frames.HEADERS and len(frame.payload) > limits.LONG_BLOCK:
                    self._postponed = frame
                    break
                self._postponed = None
                requests.work -= 1
                self._take(frame)
        except ConnectionFault as fault:
            self._fail(fault)
        self.streams.responses.begin_some()
        self.outbound.flush()
        self._after_turn()

    def _take(self, frame: Frame) -> None:
        """Take one frame. Raises ConnectionFault."""
        if self._state is State.GREETING and frame.kind != frames.SETTINGS:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "The first frame is not SETTINGS.")
        taking = self._taking.get(frame.kind)
        if taking is None:
            self._budgets.count_control_frame(self._connections.now)  # RFC 9113 §4.1: an unknown type is ignored
        else:
            taking(frame)

    def _after_turn(self) -> None:
        if self._state is State.CLOSED or self.outbound.blocked:
            return
        if self.streams.responses.is_ready or self._postponed or (self._requests.work <= 0 and self._reader.waiting):
            self.wait_for_turn()
            self._incomplete_since = None
            if self._reader.waiting > MAX_INPUT:
                self.outbound.transport.pause_reading()
        else:
            self.outbound.transport.resume_reading()
            incomplete = self._reader.inside_block or (self._reader.waiting and not self.streams)
            if not incomplete:
                self._incomplete_since = None
            elif self._incomplete_since is None:
                self._incomplete_since = self._connections.now
        self._active_at = self._connections.now
        self._retire()
        self._set_deadline()

    def _set_deadline(self) -> None:
        """Set when `expire` looks at the streams and at the connection."""
        if self._state in (State.OPEN, State.FINISHING) and not self.outbound.blocked:
            busy = self.streams or self._incomplete_since is not None
            self.deadline = self._connections.now + (CHECK_INTERVAL if busy else self._idle_timeout)

    # ---- frames of the connection

    def _take_settings(self, frame: Frame) -> None:
        if len(frame.payload) > limits.MAX_SETTINGS:
            raise over_budget(Disconnected.HTTP2_CONTROL_FRAMES, "A SETTINGS frame has too many settings.")
        if self._control.take_settings(frame) and self._state is State.GREETING:
            self._move(Event.GREETED)

    def _take_goaway(self, frame: Frame) -> None:
        check(frame.stream == 0, "A GOAWAY frame belongs to a stream.")
        self._budgets.count_control_frame(self._connections.now)
        self._idle_timeout = LINGER  # RFC 9113 §6.8: it forbids this side to open streams, and the client may go on

    def _take_push_promise(self, _frame: Frame) -> None:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "A client does not push.")

    # ---- for the streams

    @property
    def accepts_requests(self) -> bool:
        """Return whether new requests are answered."""
        return self._state is State.OPEN

    def peer_address(self) -> str:
        """Return the address at the other end of the connection."""
        if not self._address:
            self._address = address_of(self.outbound.transport)
        return self._address

    def now(self) -> float:
        """Return the event loop's clock."""
        return self._connections.now
