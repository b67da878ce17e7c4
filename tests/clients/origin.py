"""An origin that real programs reach through the proxy, over HTTP or HTTPS, on a loopback port."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Seen:
    """A request that reached the origin."""

    method: str
    target: str
    fields: Mapping[str, str]
    """By lower-case name."""


class Exchange(http.server.BaseHTTPRequestHandler):
    """One request and its answer."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def answer(self) -> None:
        origin = self.server.origin
        fields = {name.lower(): value for name, value in self.headers.items()}
        origin.requests.append(Seen(self.command, self.target, fields))
        origin.page(self.target)(self)

    @property
    def target(self) -> str:
        """What the request is for, as the origin's pages are named."""
        return self.path

    do_GET = do_HEAD = do_POST = do_PUT = answer  # noqa: N815 - http.server looks for these names

    def reply(self, status: int, content: bytes, fields: Mapping[str, str]) -> None:
        self.begin(status, {**fields, "Content-Length": str(len(content))})
        if self.command != "HEAD":
            self.wfile.write(content)

    def begin(self, status: int, fields: Mapping[str, str]) -> None:
        """Send a head alone."""
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


type Page = Callable[[Exchange], None]


def _not_found(exchange: Exchange) -> None:
    exchange.reply(404, b"", {})


class _Server(http.server.ThreadingHTTPServer):
    origin: Origin
    daemon_threads = False  # so that the end waits for them

    def handle_error(self, *_: object) -> None:
        pass  # clients go away when they like


class Origin:
    """Listens from its making until `stop`.

    Attributes:
        pages: What is answered, by request target.
        requests: Every request, in the order of arrival.
        connections: Every connection that was accepted.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, exchange: type[Exchange] = Exchange) -> None:
        self.pages: dict[str, Page] = {}
        self.requests: list[Seen] = []
        self.stopped = False
        self.connections: list[socket.socket] = []
        self._server = _Server(("127.0.0.1", 0), exchange)
        self._server.origin = self
        if tls:
            # the handshake belongs into the connection's own thread
            listener = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
            self._server.socket = listener
        self.port = self._server.server_port
        self._url = f"{'https' if tls else 'http'}://localhost:{self.port}"
        self._server.get_request = self._accept  # type: ignore[method-assign]  # to know what to close
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def offer(self, target: str, page: Page) -> str:
        """Answer a target with a page from now on; return its URL."""
        self.pages[target] = page
        return self._url + target

    def page(self, target: str) -> Page:
        """Return what answers a target: the page that was offered for it, or for all its queries."""
        return self.pages.get(target) or self.pages.get(target.partition("?")[0], _not_found)

    def requests_for(self, target: str) -> list[Seen]:
        return [seen for seen in self.requests if seen.target == target]

    def _accept(self) -> tuple[socket.socket, object]:
        connection, address = self._server.socket.accept()
        self.connections.append(connection)
        return connection, address

    def stop(self) -> None:
        """Be gone: nobody listens, and connections that are kept open end."""
        self.stopped = True
        self._server.shutdown()
        self._thread.join()
        self._server.socket.close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
