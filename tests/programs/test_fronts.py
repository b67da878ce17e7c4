"""The configurations of docs/fronts, run by the servers that they are for, in front of an edge."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fixtures import documentation
from tests.fixtures.documentation import replaced
from tests.fixtures.environment import PROXY_VARIABLES, environment
from tests.fixtures.free_port import free_port
from tests.fixtures.pages import page
from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.secure_edge import site_table
from tests.fixtures.site_certificates import SiteCertificate, site_certificate
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.web_origin import Origin
from tests.programs.installed_programs import program, run

HTTP3 = re.compile(r"(?m)^.*# HTTP/3\n")
"""Lines of a configuration that need a newer server than most systems have."""


def block(name: str, language: str) -> str:
    """Return a configuration out of a page."""
    return HTTP3.sub("", documentation.block(f"fronts/{name}.md", language))


@contextmanager
def running(folder: Path, port: int, *command: str) -> Iterator[None]:
    """Run a server until it listens, and then for the time of the context."""
    log = folder / "front.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env=environment(folder, PROXY_VARIABLES), stdout=output, stderr=output) as server,
    ):
        try:
            until = time.monotonic() + TIMEOUT
            while True:
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                except OSError:
                    time.sleep(0.02)
                else:
                    break
            yield
        finally:
            server.terminate()


@pytest.fixture
def ca(tmp_path: Path) -> ThrowawayCA:
    return ThrowawayCA(tmp_path, "front-ca")


@pytest.fixture
def certificate(ca: ThrowawayCA, tmp_path: Path) -> SiteCertificate:
    """A certificate whose file has the key as well, as HAProxy wants it."""
    made = site_certificate(ca, tmp_path / "front", "localhost", days=90)
    made.cert.write_bytes(made.cert.read_bytes() + made.key.read_bytes())
    return made


def url_of(origin: Origin) -> str:
    return origin.offer("/", page(b"")).removesuffix("/")


def edge(folder: Path, site: str, **settings: str) -> Proxy:
    """Return an edge for a site that believes fronts on this machine."""
    file = folder / "edge" / "config.toml"
    file.parent.mkdir()
    file.write_text(site)
    given = {"CONFIG": str(file), "TRUSTED_PROXIES": '["127.0.0.1"]', "ORIGIN__PROXY": "none"}
    return Proxy(file.parent, settings=given | settings)


FORGED = (
    "X-Forwarded-For: 192.0.2.1",
    "X-Forwarded-Proto: forged",
    "X-Forwarded-Host: forged.example",
    "X-Forwarded-Port: 666",
    "X-Forwarded-Prefix: /forged",
    "X-Real-IP: 192.0.2.1",
    "Forwarded: for=192.0.2.1;host=forged.example;proto=http",
)
"""Fields of a client that claims to be another one."""
AS_ANOTHER = tuple(word for line in FORGED for word in ("-H", line))
"""Options of curl for it."""


def ask_twice(folder: Path, ca: ThrowawayCA, port: int, origin: Origin, *more: str) -> None:
    """Ask through the front: the second answer is the copy, and the origin knows scheme and client.

    `more` are further options of curl.
    """
    origin.offer("/front", page(b"the page"))
    origin.requests.clear()
    options = "-q", "-sS", "--cacert", str(ca.file), *more
    show = "--write-out", " %{http_code} %{http_version}"
    printed = [run(folder, program("curl"), *options, *show, f"https://localhost:{port}/front") for _ in range(2)]
    assert printed == ["the page 200 2", "the page 203 2"]
    [request] = origin.requests
    fields = request.fields
    assert fields["x-forwarded-proto"] == "https"
    assert fields["x-forwarded-for"].split(", ")[0] == "127.0.0.1"
    assert not [each for each in ("192.0.2.1", "forged", "666") if each in str(list(fields.items()))]
    assert fields["host"] == f"localhost:{port}" or fields["host"] == "localhost"


def test_caddy(tmp_path: Path, ca: ThrowawayCA, certificate: SiteCertificate, origin: Origin) -> None:
    caddy, port = program("caddy"), free_port()
    with edge(tmp_path, site_table("localhost", url_of(origin))) as proxy:
        site = f"https://localhost:{port} {{\n\tbind 127.0.0.1\n\ttls {certificate.cert} {certificate.key}"
        text = replaced(
            block("caddy", "caddyfile"), ("example.org {", site), ("127.0.0.1:8080", f"127.0.0.1:{proxy.port}")
        )
        file = tmp_path / "Caddyfile"
        file.write_text(f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{text}")
        with running(tmp_path, port, caddy, "run", "--config", str(file), "--adapter", "caddyfile"):
            ask_twice(tmp_path, ca, port, origin, *AS_ANOTHER)


def test_nginx(tmp_path: Path, ca: ThrowawayCA, certificate: SiteCertificate, origin: Origin) -> None:
    nginx, port = program("nginx"), free_port()
    with edge(tmp_path, site_table("localhost", url_of(origin))) as proxy:
        text = replaced(
            block("nginx", "nginx"),
            ("127.0.0.1:8080", f"127.0.0.1:{proxy.port}"),
            ("listen 443 ", f"listen 127.0.0.1:{port} "),
            ("example.org;", "localhost;"),
            ("/etc/letsencrypt/live/example.org/fullchain.pem", certificate.cert),
            ("/etc/letsencrypt/live/example.org/privkey.pem", certificate.key),
        )
        temporary = "".join(
            f"{name}_temp_path {tmp_path}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        file = tmp_path / "nginx.conf"
        file.write_text(
            f"daemon off;\npid {tmp_path}/nginx.pid;\nerror_log stderr;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{temporary}{text}}}\n"
        )
        with running(tmp_path, port, nginx, "-p", str(tmp_path), "-c", str(file)):
            ask_twice(tmp_path, ca, port, origin, *AS_ANOTHER)


def test_haproxy(tmp_path: Path, ca: ThrowawayCA, certificate: SiteCertificate, origin: Origin) -> None:
    haproxy, port = program("haproxy"), free_port()
    with edge(tmp_path, site_table("localhost", url_of(origin))) as proxy:
        text = replaced(
            block("haproxy", "haproxy"),
            ("127.0.0.1:8080", f"127.0.0.1:{proxy.port}"),
            ("bind :443 ", f"bind 127.0.0.1:{port} "),
            ("/etc/haproxy/example.org.pem", certificate.cert),
        )
        file = tmp_path / "haproxy.cfg"
        file.write_text(text)
        with running(tmp_path, port, haproxy, "-db", "-f", str(file)):
            ask_twice(tmp_path, ca, port, origin, *AS_ANOTHER)


def test_haproxy_that_passes_tls_on(
    tmp_path: Path, ca: ThrowawayCA, certificate: SiteCertificate, origin: Origin
) -> None:
    haproxy, port, inner = program("haproxy"), free_port(), free_port()
    site = site_table("localhost", url_of(origin), certificate)
    with edge(tmp_path, site, LISTEN_TLS=f"127.0.0.1:{inner}", PROXY_PROTOCOL="true"):
        text = replaced(
            block("haproxy", "haproxy-tcp"),
            ("127.0.0.1:8443", f"127.0.0.1:{inner}"),
            ("bind :443", f"bind 127.0.0.1:{port}"),
        )
        file = tmp_path / "haproxy.cfg"
        file.write_text(text)
        with running(tmp_path, port, haproxy, "-db", "-f", str(file)):
            ask_twice(tmp_path, ca, port, origin)
