"""Real clients of an edge that terminates TLS in two workers."""

from __future__ import annotations

import base64
import hashlib
import re
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fixtures.pages import page
from tests.fixtures.proxy_with_workers import workers_of
from tests.fixtures.secure_edge import SecureEdge
from tests.fixtures.site_certificates import site_certificate, trusting
from tests.fixtures.web_origin import Origin
from tests.programs.chromium import OPTIONS
from tests.programs.installed_programs import program, run


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory, origin: Origin) -> Iterator[SecureEdge]:
    url = origin.offer("/page", page(b"<p>the page</p>", "text/html"))
    started = SecureEdge(tmp_path_factory.mktemp("edge"), url.removesuffix("/page"))
    with started.proxy:
        yield started


@pytest.mark.parametrize("http", ["--http1.1", "--http2"])
@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_curl(edge: SecureEdge, http: str, tls: str) -> None:
    printed = run(
        edge.proxy.folder,
        *(program("curl"), "-q", "-sS", "--cacert", str(edge.ca.file), http, "--tlsv" + tls, "--tls-max", tls),
        *("--write-out", " %{http_version}", f"{edge.url}/page"),
    )
    assert printed == f"<p>the page</p> {http.removeprefix('--http').removesuffix('.0')}"


def test_curl_with_an_old_tls_is_refused(edge: SecureEdge) -> None:
    command = (program("curl"), "-q", "-sS", "--cacert", str(edge.ca.file), "--tls-max", "1.1", f"{edge.url}/page")
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode == 35  # a handshake that failed
    assert "protocol version" in refused.stderr or "no protocols available" in refused.stderr


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_resumes_its_session_with_every_worker(edge: SecureEdge, version: str, tmp_path: Path) -> None:
    session = tmp_path / "session"
    command = [program("openssl"), "s_client", "-connect", f"localhost:{edge.port}", "-servername", "localhost"]
    command += ["-CAfile", str(edge.ca.file), version, "-ign_eof", "-sess_out", str(session)]
    request = f"GET /page HTTP/1.1\r\nHost: localhost:{edge.port}\r\nConnection: close\r\n\r\n"
    handshakes = []
    for _ in range(8):  # the kernel chooses the worker
        again = ["-sess_in", str(session)] if handshakes else []
        done = subprocess.run([*command, *again], input=request, capture_output=True, text=True, timeout=60)
        handshakes += re.findall(r"^(New|Reused), TLS", done.stdout, re.MULTILINE)
    assert handshakes == ["New", *["Reused"] * 7]


@pytest.mark.parametrize(
    "cipher", ["AES128-SHA", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES256-SHA", "DHE-RSA-AES128-GCM-SHA256", "NULL"]
)
def test_weak_ciphers_are_refused(edge: SecureEdge, cipher: str) -> None:
    command = [program("openssl"), "s_client", "-connect", f"localhost:{edge.port}", "-tls1_2"]
    command += ["-cipher", f"{cipher}:@SECLEVEL=0"]
    refused = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert refused.returncode != 0
    assert "handshake failure" in refused.stderr


def test_requests_and_httpx(edge: SecureEdge) -> None:
    assert requests.get(f"{edge.url}/page", verify=str(edge.ca.file)).text == "<p>the page</p>"
    with httpx.Client(verify=trusting(edge.ca), http2=True, trust_env=False) as client:
        response = client.get(f"{edge.url}/page")
    assert (response.http_version, response.text) == ("HTTP/2", "<p>the page</p>")


def test_node(edge: SecureEdge) -> None:
    script = f"const r = await fetch('{edge.url}/page'); console.log(r.ok, await r.text())"
    printed = run(
        edge.proxy.folder,
        *(program("node"), "--input-type=module", "--eval", script),
        NODE_EXTRA_CA_CERTS=str(edge.ca.file),
    )
    assert printed == "true <p>the page</p>\n"


def test_chromium(edge: SecureEdge, tmp_path: Path) -> None:
    key = x509.load_pem_x509_certificate(edge.certificate.cert.read_bytes()).public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    printed = run(
        tmp_path,
        *(program("chromium"), *OPTIONS, f"--user-data-dir={tmp_path / 'profile'}"),
        f"--ignore-certificate-errors-spki-list={base64.b64encode(digest).decode()}",
        *("--dump-dom", f"{edge.url}/page"),
    )
    assert "<p>the page</p>" in printed


def test_h2load(edge: SecureEdge) -> None:
    printed = run(edge.proxy.folder, program("h2load"), "-n", "500", "-c", "10", "-m", "10", f"{edge.url}/page")
    assert "500 succeeded, 0 failed, 0 errored" in printed


def test_no_handshake_fails_while_the_certificate_changes_and_settings_are_reloaded(
    tmp_path: Path, origin: Origin
) -> None:
    url = origin.offer("/page", page(b"the page"))
    edge = SecureEdge(tmp_path, url.removesuffix("/page"))
    new = site_certificate(edge.ca, tmp_path / "new", "localhost", days=90)
    seen: list[int] = []
    problems: list[Exception] = []
    done = threading.Event()

    def clients() -> None:
        context = trusting(edge.ca)
        while not done.is_set():
            try:
                with (
                    socket.create_connection(("127.0.0.1", edge.port), timeout=60) as plain,
                    context.wrap_socket(plain, server_hostname="localhost") as secure,
                ):
                    secure.sendall(b"GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    assert secure.recv(100).startswith(b"HTTP/1.1 20")
                    certificate = secure.getpeercert() or {}
                    seen.append(int(str(certificate["serialNumber"]), 16))
            except (OSError, AssertionError, ssl.SSLError) as problem:
                problems.append(problem)

    def wait_for(serial: int, times: int) -> None:
        start = len(seen)
        while seen[start:].count(serial) < times:
            assert not problems
            done.wait(0.01)

    thread = threading.Thread(target=clients)
    with edge.proxy:
        thread.start()
        try:
            wait_for(edge.certificate.serial(), 20)
            new.put_in_place_of(edge.certificate)
            wait_for(new.serial(), 20)  # without a signal
            before = set(workers_of(edge.proxy))
            edge.proxy.signal(signal.SIGHUP)
            while before & set(workers_of(edge.proxy)):
                wait_for(new.serial(), 1)
            wait_for(new.serial(), 20)
        finally:
            done.set()
            thread.join()
    assert not problems
    assert set(seen[-20:]) == {new.serial()}
