"""Origins of other projects whose TLS fails: the error says which alert they sent."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fixtures.free_port import accepts_connections, free_port
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.until import wait_until
from tests.programs.installed_programs import curl, program

HTTP_2_ONLY = """
import { createSecureServer } from 'node:http2'
import { readFileSync } from 'node:fs'
const [port, pem] = process.argv.slice(1)
const options = { key: readFileSync(pem), cert: readFileSync(pem), allowHTTP1: false }
createSecureServer(options, (request, response) => response.end('h2')).listen(port, '127.0.0.1')
"""


@contextmanager
def running(port: int, *command: str) -> Iterator[None]:
    """Run a server, and wait until it accepts connections."""
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: server.poll() is not None or accepts_connections(port))
        assert server.poll() is None, f"{command[0]} ended"
        yield
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def certificate(ca: ThrowawayCA, tmp_path: Path) -> Path:
    """Return the file of a certificate for localhost, with its key."""
    ca.server_context("localhost")
    file = tmp_path / "server.pem"
    file.write_bytes((ca.file.parent / "server.pem").read_bytes())
    return file


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        (
            ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
            'alert-id=70; alert-message="protocol_version"',
            "no version of TLS",
        ),
        (["-tls1_2", "-cipher", "NULL:@SECLEVEL=0"], "alert-id=40", "sent the TLS alert handshake_failure (40)"),
        (["-Verify", "1"], "alert-id=116", "certificate_required (116): it asks for a client certificate"),
        (["-alpn", "spdy/3"], "alert-id=120", "it speaks no HTTP that it was offered"),
    ],
)
def test_the_alert_of_openssl_is_named(
    options: list[str], error: str, sentence: str, proxy: Proxy, certificate: Path
) -> None:
    port = free_port()
    server = (program("openssl"), "s_server", "-accept", str(port), "-www")
    with running(port, *server, "-cert", str(certificate), "-key", str(certificate), *options):
        response = curl(proxy, f"https://localhost:{port}/")
    assert response.status == 502
    assert f"error=tls_alert_received; {error}" in response.fields["Proxy-Status"]
    assert sentence in response.content.decode()


def test_a_node_server_without_http_1_is_named_as_such(ca: ThrowawayCA, certificate: Path, tmp_path: Path) -> None:
    port = free_port()
    with (
        running(port, program("node"), "--input-type=module", "-e", HTTP_2_ONLY, str(port), str(certificate)),
        Proxy(tmp_path, origin_ca=ca.file, settings={"ORIGIN__HTTP2": "never"}) as proxy,
    ):
        response = curl(proxy, f"https://localhost:{port}/")
    assert response.status == 502
    assert "HTTP/2 is not, if origin.http2 is never" in response.content.decode()
