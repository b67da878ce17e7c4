"""The front end without sockets: connections get the bytes of an input, and a transport that keeps what they write.

The cache is offline, so nothing is asked of any origin, and holds one response: http://a.example/stored.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from addon.config.settings import Settings
from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.connections import Connections
from addon.frontend.frontend import Frontend
from addon.frontend.http1.fast_path import FastPath
from addon.frontend.http1.handler import Handler
from addon.frontend.http1.request_target import ForwardProxyTargets
from addon.frontend.http2.connection import Http2Connection
from addon.frontend.http2.handler import Http2Handler
from addon.frontend.listener import Listener
from addon.serve.late_imports import import_late_modules
from addon.service import Service
from cache.http.messages import Fields, Response
from cache.rules.stored_response import StoredResponse
from tools.fuzz.transport import KeptTransport

import_late_modules()  # before the fuzzer runs: it changes what is imported then, and some modules do not survive that

NOW = 1_795_435_200.0
"""Mon, 23 Nov 2026 12:00:00 GMT; the clock stands still."""

STORED = "http://a.example/stored"
BODY = b"hello"


class NoCertificates:
    """The CA of intercepted TLS: it makes no certificate, and keeps the names that it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def context(self, name: str) -> ssl.SSLContext:
        self.asked.append(name)
        raise OSError("there is no CA here")


class _Faults(logging.Handler):
    """Keeps what is logged as an error, and what the event loop reports."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record))

    def note(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.found.append(repr(context))


class FrontEnd:
    """A front end with its event loop, used for all inputs."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_task_factory(asyncio.eager_task_factory)
        self._faults = _Faults()
        self.loop.set_exception_handler(self._faults.note)
        settings = Settings.model_validate(
            {"cache": {"mode": "offline"}, "store": {"kind": "memory", "max_size": 2**20}, "origin": {"proxy": "none"}}
        )
        self.certificates = NoCertificates()
        self._service = Service(settings, lambda: NOW)
        self._connections = Connections(ConnectionLimits(0, 2**20), lambda: NOW)
        self.frontend = Frontend(self._service, self._connections, self.certificates)
        fast_path = FastPath(self._service.active, self._service.counters, lambda: NOW, settings.memory.hot_size, None)
        self.http2 = Http2Handler(self.frontend, fast_path)
        self.http1 = Handler(self.frontend, fast_path, partial(Http2Connection, self.http2))
        Listener(self.http1, ForwardProxyTargets())  # it says what is inside a tunnel
        self._store_one()

    def _store_one(self) -> None:
        fields = Fields((("Cache-Control", "max-age=600"), ("ETag", '"a"'), ("Content-Length", "5")))
        entry = StoredResponse("0" * 32, STORED, "GET", STORED, Response(200, "OK", fields), NOW, NOW, NOW)
        writer = self._service.store.writer()
        writer.write(BODY)
        writer.commit(entry)

    @contextmanager
    def _no_faults(self) -> Iterator[None]:
        self.certificates.asked.clear()
        logging.getLogger().addHandler(self._faults)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(self._faults)
        assert not self._faults.found, "\n".join(self._faults.found)
        assert not len(self._connections), "a lost connection is still open"

    def converse(self, make: Callable[[], asyncio.Protocol], pieces: list[bytes]) -> bytes:
        """Send pieces to a new connection, end it, and return what it has written."""
        with self._no_faults():
            return self.loop.run_until_complete(self._converse(make, pieces))

    async def _converse(self, make: Callable[[], asyncio.Protocol], pieces: list[bytes]) -> bytes:
        transport = KeptTransport()
        transport.connect(make())
        await transport.receive_all(pieces)
        return transport.written
