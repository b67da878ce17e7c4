"""The engine: one thread with the connections to all its servers. Any thread may send it requests and wait."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Event, Thread
from typing import Protocol

import hiredis

from cache.stores.base import StoreError
from cache.stores.redis.address import EngineAddress, Place, TlsFiles
from cache.stores.redis.breaker import Interruptions, State
from cache.stores.redis.connection import Argument, Command, EngineError, Reply, Request
from cache.stores.redis.dial import Dialer
from cache.stores.redis.keys import KeyNames
from cache.stores.redis.redirects import Redirect, errors, redirect
from cache.stores.redis.server import RETRY, Server, ServerOptions
from cache.stores.redis.topology import Topology, find_topology

logger = logging.getLogger(__name__)

_LOOK = 30.0
"""Seconds between two looks at the servers of an engine whose servers all work."""
_WORTH_TELLING = 0.3
"""Seconds for which a server has to be slow before the store is told so. It is left alone at once."""
_GUARD = 30.0
"""Seconds after which a request fails even if the engine's thread does not say so."""
_PAGE = 1000
"""Names that a server looks at in one step of a scan."""
_REDIRECTS = 8
"""Times that commands are sent again whose slot has moved or is moving."""
_PAUSE = 0.02
"""Seconds before that, if some of their names have moved and others have not."""
_UNUSABLE = ("READONLY", "LOADING", "CLUSTERDOWN", "MASTERDOWN", "MOVED", "ASK", "TRYAGAIN", "NOSCRIPT")
"""The beginnings of errors by which a server says that it cannot be used for a name now.

A slot may still be on its way. Scripts that the server has forgotten are loaded with a new connection.
"""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """The way in which an engine is used."""

    address: EngineAddress
    tls: TlsFiles
    timeout: float
    """Seconds in which the engine must reply. One request of a client can cause four replies, one after another."""
    new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    """Returns the event loop of the engine's thread."""


class Events(Protocol):
    """The store, as the engine sees it. All is called on the engine's thread."""

    def changed(self, names: list[bytes] | None) -> None:
        """Take the names of what another node or the engine has changed; None if it can be anything."""

    async def prepare(self, ask: Ask, holds: Holds, *, is_new: bool) -> None:
        """Make good what a server has missed, before it is used. Raises EngineError.

        Args:
            ask: Sends it commands and returns the replies, errors among them.
            holds: Returns whether the server has a name.
            is_new: The connection is another one than before, so that changes may not have been heard of.
        """

    def opened(self, send: Callable[[Request], None], holds: Holds) -> None:
        """Make good what was done without a server until now, when it is used again.

        Args:
            send: Sends it a request before those of all others.
            holds: Returns whether the server has a name.
        """

    def state_changed(self, problem: str | None) -> None:
        """Take why the engine, or a server of it, cannot be used now; None if all of it can."""


type Holds = Callable[[str], bool]
type Ask = Callable[[Sequence[Command]], Awaitable[list[Reply]]]


class Engine:
    """All servers of an engine, and who has which names.

    Attributes:
        address: The servers to begin with.
        interruptions: How often a server could not be used any more.
    """

    def __init__(self, options: EngineOptions, names: KeyNames, events: Events) -> None:
        """Connect on a new thread. `events` are called from now on."""
        self.address = options.address
        self.interruptions = Interruptions()
        self._names = names
        self._events = events
        self._options = ServerOptions(options.timeout, names.watched)
        self._dialer = Dialer(options.address, options.tls)
        self._topology = Topology(())
        self._servers: dict[Place, Server] = {}
        self._problem: str | None = "it was not reached yet"
        self._told: str | None = self._problem
        self._telling: asyncio.TimerHandle | None = None
        self._loop = options.new_loop()
        self._refresh = asyncio.Event()
        self._first_look = Event()
        self._look: asyncio.Task[None] | None = None
        self._closed = False
        self._thread = Thread(target=self._run, name="store-engine", daemon=True)
        self._thread.start()

    # ---- for any thread

    @property
    def problem(self) -> str | None:
        """The reason why the engine, or a part of it, cannot be used now; None if all of it can."""
        return self._problem

    def wait(self, seconds: float) -> bool:
        """Wait until all servers can be used, but no longer. Return whether they can."""
        self._first_look.wait(seconds)
        return self._problem is None

    def is_usable(self, name: str) -> bool:
        """Return whether the server that has a name can be used."""
        server = self._server_of(name)
        return server is not None and server.breaker.is_closed

    def send(self, name: str, request: Request) -> None:
        """Send a request to the server that has a name. Never waits; its result follows."""
        server = self._server_of(name)
        if server is None or self._closed:
            request.fail(self._problem or "no server has this key now")
        elif not server.breaker.is_closed:
            request.fail(f"{server.place} is not used: {server.breaker.reason}")
        else:
            self._loop.call_soon_threadsafe(server.send, request)

    def run(
        self, name: str, commands: Sequence[Command], then: Callable[[list[Reply]], None] | None = None
    ) -> list[Reply]:
        """Return the replies to commands about names with the same hash tag as `name`.

        Errors of single commands are among the replies. `then` is called as in `Request`.

        Raises:
            EngineError: the engine cannot be used. The commands may have been carried out all the same.
        """
        request = Request(commands, then)
        self.send(name, request)
        replies = _result(request)
        for _ in range(_REDIRECTS):
            if (found := redirect(commands, replies)) is None:
                break
            replies = self._redirected(name, found, replies, then)
        for error in errors(replies):
            if str(error).partition(" ")[0] in _UNUSABLE:
                self.call_soon(partial(self._distrust, name))
                raise EngineError(f"the engine refuses: {error}")
        return replies

    def call(self, name: str, *command: Argument) -> Reply:
        """Return the reply to one command. Raises StoreError, also if it is an error."""
        return checked(self.run(name, [command]))[0]

    def scan(self, beginning: str) -> Iterator[list[str]]:
        """Yield the names that begin with a text, on all servers, some at a time. Raises StoreError."""
        for server in list(self._servers.values()):
            cursor = b""
            while cursor != b"0":
                request = Request([("SCAN", cursor or b"0", "MATCH", f"{beginning}*", "COUNT", _PAGE)])
                self._loop.call_soon_threadsafe(server.send, request)
                match checked(_result(request)):
                    case [[bytes(cursor), [*found]]]:
                        yield [name.decode() for name in found if isinstance(name, bytes)]
                    case replies:
                        raise StoreError(f"the engine gave an unexpected reply: {replies!r}")

    def close(self) -> None:
        """End all connections and the thread."""
        if not self._closed:
            self._closed = True
            self._loop.call_soon_threadsafe(self._stop)
            self._thread.join()

    def call_soon(self, call: Callable[[], None]) -> None:
        """Call a function on the engine's thread."""
        with suppress(RuntimeError):  # the engine is closed
            self._loop.call_soon_threadsafe(call)

    def _server_of(self, name: str) -> Server | None:
        place = self._topology.place_of(name)
        return None if place is None else self._servers.get(place)

    def _redirected(
        self, name: str, found: Redirect, before: list[Reply], then: Callable[[list[Reply]], None] | None
    ) -> list[Reply]:
        """Return all replies to a request, of which a part is sent again. Raises EngineError."""
        request = Request(found.commands, then and (lambda replies: then(found.merged(before, replies))))
        if not found.place:
            time.sleep(_PAUSE)
            self.send(name, request)
        else:
            server = next((each for each in list(self._servers.values()) if str(each.place) == found.place), None)
            if server is None or found.kind == "MOVED":
                self._loop.call_soon_threadsafe(self._refresh.set)
            if server is None:
                raise EngineError(f"the key is on {found.place}, which is not connected yet")
            self._loop.call_soon_threadsafe(server.send, request)
        return found.merged(before, _result(request))

    # ---- on the engine's thread

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._look = self._loop.create_task(self._look_for_servers())
        self._loop.run_forever()
        self._loop.close()

    def _stop(self) -> None:
        self._loop.create_task(self._end()).add_done_callback(lambda _: self._loop.stop())

    async def _end(self) -> None:
        if self._look is not None:
            self._look.cancel()
            await asyncio.gather(self._look, return_exceptions=True)
        await asyncio.gather(*[server.close() for server in self._servers.values()])

    async def _look_for_servers(self) -> None:
        while True:
            self._refresh.clear()
            try:
                await self._use(await find_topology(self.address, self._dialer, list(self._servers)))
            except EngineError as error:
                self._not_found(str(error))
            except Exception as error:  # whatever it is, the look is repeated
                logger.exception("the look at the engine's servers failed")
                self._not_found(f"the look at the engine's servers failed: {error!r}")
            self._note_problem()
            is_whole = self._servers and all(server.breaker.is_closed for server in self._servers.values())
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK if is_whole else RETRY):
                    await self._refresh.wait()
            await asyncio.sleep(0.05)

    def _not_found(self, problem: str) -> None:
        """Note why no server could say which servers there are."""
        if not any(server.breaker.is_closed for server in self._servers.values()):
            self._note_problem(problem)

    async def _use(self, topology: Topology) -> None:
        if topology == self._topology:
            return
        gone = [server for place, server in self._servers.items() if place not in topology.places]
        servers = {place: self._servers.get(place) or self._new_server(place) for place in topology.places}
        had_any, self._servers, self._topology = bool(self._servers), servers, topology
        if had_any:  # names have moved: what was heard of them may not be all
            self._events.changed(None)
        await asyncio.gather(*[server.close() for server in gone])

    def _new_server(self, place: Place) -> Server:
        return Server(place, self._dialer, self._options, self)

    def _distrust(self, name: str) -> None:
        """Connect anew to the server of a name, which has refused it: it may not be the primary any more."""
        self._refresh.set()
        if server := self._server_of(name):
            server.reconnect()

    def changed(self, names: list[bytes] | None) -> None:
        """Pass on the names of what has changed."""
        self._events.changed(names)

    async def prepare(self, server: Server, *, is_new: bool) -> None:
        """Let the store make good what a server has missed. Raises EngineError."""

        async def ask(commands: Sequence[Command]) -> list[Reply]:
            request = Request(commands)
            server.send_anyway(request)
            return await asyncio.wrap_future(request.result)

        await self._events.prepare(ask, partial(self._holds, server), is_new=is_new)

    def _holds(self, server: Server, name: str) -> bool:
        return self._topology.place_of(name) == server.place

    def state_changed(self, server: Server) -> None:
        """Note that a server is used now, or not any more."""
        if server.breaker.state is State.DOWN:
            self._refresh.set()
        if server.breaker.is_closed:
            self._events.opened(server.send_anyway, partial(self._holds, server))
        self._note_problem()

    def _note_problem(self, problem: str | None = None) -> None:
        """Tell the store if the problem is another one than before."""
        bad = [server for server in self._servers.values() if not server.breaker.is_closed]
        if bad:
            problem = "; ".join(f"{server.place}: {server.breaker.reason}" for server in bad)
        elif not self._servers:
            problem = problem or self._problem
        self._problem = problem
        if problem is None:
            self._first_look.set()
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        if problem is None or any(server.breaker.state is State.DOWN for server in bad):
            self._tell()
        else:  # a server that is slow for a moment is not worth a word
            self._telling = self._loop.call_later(_WORTH_TELLING, self._tell)

    def _tell(self) -> None:
        """Tell the store of the problem, if that is another one than before."""
        changed, self._told = self._problem != self._told, self._problem
        if changed:
            self._events.state_changed(self._problem)

    def heartbeat(self, server: Server) -> Request:
        """Return a request that the server answers at once; it also keeps the log of purges from looking unused."""
        has_log = self._topology.place_of(self._names.purges) == server.place
        return Request([("ZCARD", self._names.purges) if has_log else ("PING",)])


def checked(replies: list[Reply]) -> list[Reply]:
    """Return replies. Raises StoreError if one of them is an error."""
    for reply in replies:
        if isinstance(reply, hiredis.ReplyError):
            text = str(reply)
            raise StoreError("the engine is full" if text.startswith("OOM") else f"the engine refuses: {text}")
    return replies


def _result(request: Request) -> list[Reply]:
    try:
        return request.result.result(_GUARD)
    except FutureTimeoutError:
        raise EngineError("the thread of the engine is busy") from None
