"""No log of a real proxy has a query, a password or a cookie, at any level and whatever goes wrong."""

from __future__ import annotations

import http.client
import signal
from contextlib import closing
from pathlib import Path

import pytest

from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Exchange, Origin

SECRET = "s3cr3t"
FIELDS = {"Authorization": f"Basic {SECRET}", "Cookie": f"a={SECRET}"}


def break_off(exchange: Exchange) -> None:
    """Send less than is announced."""
    exchange.begin(200, {"Content-Length": "1000", "Cache-Control": "max-age=600"})
    exchange.wfile.write(b"a")
    exchange.close_connection = True


def visit(proxy: Proxy, url: str, tunnel: tuple[str, int] | None = None, method: str = "GET") -> None:
    """Send a request with secrets, and read as much of the response as there is."""
    with closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=TIMEOUT)) as connection:
        if tunnel:
            connection.set_tunnel(*tunnel)
        connection.request(method, url, body=b"a" if method == "POST" else None, headers=FIELDS)
        try:
            with connection.getresponse() as response:
                response.read()
        except (http.client.HTTPException, OSError):
            pass  # the origin breaks off


@pytest.mark.parametrize("command", [("secondhand", "serve"), ("secondhand", "serve", "--no-door")])
def test_queries_and_credentials_are_in_no_log(command: tuple[str, ...], tmp_path: Path, origin: Origin) -> None:
    serve_page(origin, "/ok", b"a", {"Cache-Control": "max-age=600"})
    serve_page(origin, "/no", b"a", {"Cache-Control": "no-store"})
    origin.offer("/broken", break_off)
    settings = {"ORIGIN__PROXY": "none", "LOG__LEVEL": "debug", "LOG__ACCESS": str(tmp_path / "access.log")}
    with Proxy(tmp_path, command=command, settings=settings) as proxy:
        here = f"localhost:{origin.port}"
        for target in ("/ok", "/ok", "/no", "/broken", f'/ok?"a=http://b/?{SECRET}'):
            for method in ("GET", "POST"):
                visit(proxy, f"http://{here}{target}?token={SECRET}", method=method)
            visit(proxy, f"{target}?token={SECRET}", ("localhost", origin.port))
        visit(proxy, f"http://localhost:1/?token={SECRET}")
        visit(proxy, f"http://name:{SECRET}@{here}/ok?token={SECRET}")
        proxy.signal(signal.SIGHUP)
        proxy.wait_for_message("settings reloaded")
        proxy.stop()
        assert "/broken?[hidden]" in proxy.messages or "no-door" in str(command)
        assert SECRET not in proxy.messages
    if command == ("secondhand", "serve"):
        access = (tmp_path / "access.log").read_text()
        assert f"http://{here}/ok?[hidden] HTTP/1.1" in access
        assert SECRET not in access
