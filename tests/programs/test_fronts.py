"""nginx, HAProxy and curl in front of an edge: who the client is, and by which scheme it asked, reach the origin."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.programs.installed_programs import program, run

PROXIES = {"TRUSTED_PROXIES": '["127.0.0.1"]'}


class SecureApplication(BaseHTTPRequestHandler):
    """Redirects http to https, as frameworks do, and shows the fields of an https request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        secure = self.headers["X-Forwarded-Proto"] == "https"
        content = json.dumps(dict(self.headers.items())).encode() if secure else b""
        self.send_response(200 if secure else 301)
        if not secure:
            self.send_header("Location", f"https://{self.headers['Host']}{self.path}")
        self.send_header("Cache-Control", "max-age=60")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class Application(SecureApplication):
    """Shows the fields of every request."""

    def do_GET(self) -> None:
        self.headers.replace_header("X-Forwarded-Proto", "https")
        super().do_GET()


@contextmanager
def serving(application: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), application)
    Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def edge(folder: Path, application: type[BaseHTTPRequestHandler], **settings: str) -> Iterator[Proxy]:
    command = ("secondhand", "serve", "--edge")
    with (
        serving(application) as origin,
        Proxy(folder, command=(*command, origin), settings=PROXIES | settings) as proxy,
    ):
        yield proxy


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


@contextmanager
def front(*command: str, port: int) -> Iterator[str]:
    """Run a server that listens on a port, and provide its URL."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        until = time.monotonic() + TIMEOUT
        while True:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < until
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        server.terminate()


@contextmanager
def nginx(folder: Path, proxy: Proxy, scheme: str) -> Iterator[str]:
    port = free_port()
    temporary = [f"{each}_temp_path {folder}/{each};" for each in "client_body proxy fastcgi uwsgi scgi".split()]
    configuration = folder / f"{scheme}.conf"
    configuration.write_text(
        f"daemon off; pid {folder}/{scheme}.pid; error_log stderr; events {{}} http {{ access_log off;"
        f" {' '.join(temporary)} server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {proxy.url};"
        " proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
        f" proxy_set_header X-Forwarded-Proto {scheme}; }} }} }}"
    )
    with front(program("nginx"), "-c", str(configuration), port=port) as url:
        yield url


def curl(folder: Path, url: str, *options: str) -> tuple[int, str]:
    """Return the status and the content of a response."""
    written = run(folder, program("curl"), "-s", *options, url)
    status = run(folder, program("curl"), "-s", "-o", "/dev/null", "-w", "%{http_code}", *options, url)
    return int(status), written


def test_an_application_behind_nginx_with_tls_does_not_redirect_for_ever(tmp_path: Path) -> None:
    with edge(tmp_path, SecureApplication) as proxy, nginx(tmp_path, proxy, "https") as url:
        status, content = curl(tmp_path, url, "-H", "Host: shop.example", "-H", "X-Forwarded-For: 203.0.113.7")
        seen = json.loads(content)
        assert status == 203
        assert (seen["X-Forwarded-Proto"], seen["X-Forwarded-Host"]) == ("https", "shop.example")
        assert seen["X-Forwarded-For"] == "203.0.113.7, 127.0.0.1, 127.0.0.1"
        assert seen["X-Real-IP"] == "203.0.113.7"


def test_the_redirect_for_http_is_no_answer_to_https(tmp_path: Path) -> None:
    with (
        edge(tmp_path, SecureApplication) as proxy,
        nginx(tmp_path, proxy, "http") as http,
        nginx(tmp_path, proxy, "https") as https,
    ):
        options = ("-H", "Host: shop.example")
        assert curl(tmp_path, http, *options) == (301, "")
        assert curl(tmp_path, https, *options)[0] == 203
        assert curl(tmp_path, http, *options) == (301, "")


@pytest.mark.parametrize("version", ["send-proxy", "send-proxy-v2"])
def test_haproxy_names_the_client_of_a_connection(version: str, tmp_path: Path) -> None:
    port, configuration = free_port(), tmp_path / "haproxy.cfg"
    with edge(tmp_path, Application, PROXY_PROTOCOL="true") as proxy:
        configuration.write_text(
            "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n"
            f"frontend clients\n  bind 127.0.0.1:{port}\n  default_backend edge\n"
            f"backend edge\n  server edge 127.0.0.1:{proxy.port} {version}\n"
        )
        with front(program("haproxy"), "-f", str(configuration), "-db", port=port) as url:
            seen = json.loads(curl(tmp_path, url, "--interface", "127.0.0.5", "-H", "X-Forwarded-For: 1.2.3.4")[1])
    assert (seen["X-Forwarded-For"], seen["X-Real-IP"]) == ("127.0.0.5", "127.0.0.5")


def test_curl_speaks_the_proxy_protocol(tmp_path: Path) -> None:
    with edge(tmp_path, Application, PROXY_PROTOCOL="true") as proxy:
        assert curl(tmp_path, proxy.url, "--haproxy-protocol")[0] == 203
        refused = subprocess.run([program("curl"), "-s", proxy.url], capture_output=True, timeout=TIMEOUT, check=False)
    assert refused.returncode in (52, 56)  # an empty reply, or a reset
