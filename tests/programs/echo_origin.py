"""Two origins, in clear and over TLS, with a few fixed pages. They remember what they received."""

from __future__ import annotations

import gzip
import ssl
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

LARGE = b"large content " * 20_000
"""More than mitmproxy streams with small limits, and more than a store holds in memory for one chunk."""

PAGES: dict[str, tuple[str, str, bytes]] = {
    "/text": ("text/plain", "max-age=600", b"hello, this is text"),
    "/other": ("text/plain", "max-age=600", b"hello, this is another text"),
    "/page": ("text/html", "no-store", b"<html><body>hello</body></html>"),
    "/large": ("application/octet-stream", "max-age=600", LARGE),
    "/chunked": ("text/plain", "max-age=600", b"hello in chunks"),
    "/cookie": ("text/plain", "no-store", b"here is a cookie"),
    "/brief": ("text/plain", "max-age=0, stale-while-revalidate=600", b"hello, this is stale at once"),
    "/coded": ("text/plain", "max-age=600", b"hello, this is coded"),
}
"""Media type, Cache-Control and content by path."""


@dataclass(frozen=True)
class SeenRequest:
    """A request that an origin received."""

    method: str
    target: str
    fields: tuple[tuple[str, str], ...]
    content: bytes
    client_certificate: str


class EchoOrigin:
    """An origin on a free port of the loopback interface.

    Attributes:
        requests: What it received.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[SeenRequest] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.requests))
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "https" if tls else "http"
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    @property
    def url(self) -> str:
        return f"{self._scheme}://localhost:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(requests: list[SeenRequest]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            certificate = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
            requests.append(
                SeenRequest(self.command, self.path, tuple(self.headers.items()), content, str(bool(certificate)))
            )
            if content:
                self._send("text/plain", "no-store", b"received " + content)
            elif self.headers.get("If-None-Match") == '"19"':
                self.send_response(304)
                self.send_header("ETag", '"19"')
                self.end_headers()
            elif page := PAGES.get(self.path.partition("?")[0]):
                self._send(*page)
            else:
                self.send_error(404)

        def _send(self, media_type: str, cache_control: str, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Cache-Control", cache_control)
            self.send_header("ETag", f'"{len(content)}"')
            if self.path == "/cookie":
                self.send_header("Set-Cookie", "taste=sweet")
            if self.path == "/coded" and "gzip" in self.headers.get("Accept-Encoding", ""):
                content = gzip.compress(content, mtime=0)
                self.send_header("Content-Encoding", "gzip")
            if self.path == "/chunked":
                self.send_header("Transfer-Encoding", "chunked")
                content = b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content)
            else:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the names that the base class expects

        def log_message(self, *_: object) -> None:
            pass

    return Handler
