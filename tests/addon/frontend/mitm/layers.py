"""Plays events to one of mitmproxy's layers, with a clock that a test sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mitmproxy.addons import proxyserver
from mitmproxy.connection import Client, ConnectionState
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import Layer
from mitmproxy.proxy.layers.http._base import HttpEvent, ReceiveHttp
from mitmproxy.test import taddons


class Played[L: Layer]:
    """A layer, and what it has done.

    Attributes:
        now: The time by its clock, in seconds.
    """

    def __init__(self, make: Callable[[Context, Callable[[], float]], L]) -> None:
        self.now = 0.0
        with options() as mitmproxy:
            client = Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), timestamp_start=0.0)
            client.state = ConnectionState.OPEN
            self.context = Context(client, mitmproxy.options)
            self.layer = make(self.context, lambda: self.now)
        self._timers: list[tuple[float, commands.RequestWakeup]] = []
        self.play(events.Start())

    def play(self, event: events.Event) -> list[commands.Command]:
        """Return what the layer does on an event, besides asking to be woken up."""
        done = list(self.layer.handle_event(event))
        timers = [command for command in done if isinstance(command, commands.RequestWakeup)]
        self._timers += [(self.now + timer.delay, timer) for timer in timers]
        return [command for command in done if not isinstance(command, commands.RequestWakeup)]

    def receive(self, data: bytes) -> list[commands.Command]:
        """Return what the layer does when its connection has received this."""
        connection = getattr(self.layer, "conn", self.context.client)
        return self.play(events.DataReceived(connection, data))

    def wait(self, seconds: float) -> list[commands.Command]:
        """Let time pass, and return what the layer does when it is woken up."""
        self.now += seconds
        due = [timer for timer in self._timers if timer[0] <= self.now]
        self._timers = [timer for timer in self._timers if timer not in due]
        return [command for _, timer in due for command in self.play(events.Wakeup(timer))]


@contextmanager
def options() -> Iterator[taddons.context]:
    """Have the options of mitmproxy's listener."""
    with taddons.context(proxyserver.Proxyserver()) as mitmproxy:
        yield mitmproxy


def sent(done: list[commands.Command]) -> bytes:
    """Return the bytes that were sent."""
    return b"".join(command.data for command in done if isinstance(command, commands.SendData))


def passed_on(done: list[commands.Command]) -> list[HttpEvent]:
    """Return the events that were passed on to the request."""
    return [command.event for command in done if isinstance(command, ReceiveHttp)]


def closes(done: list[commands.Command]) -> bool:
    """Return whether the connection is closed, at least in one direction."""
    return any(isinstance(command, commands.CloseConnection) for command in done)
