"""Origins that speak HTTP/2: Node.js with nothing else, and nginx with both protocols."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fixtures.free_port import accepts_connections, free_port
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.until import wait_until
from tests.programs.installed_programs import curl, program

NODE_SCRIPT = Path(__file__).with_name("http2_only.mjs")


@pytest.fixture
def node_origin(ca: ThrowawayCA) -> Iterator[str]:
    """The URL of a server of Node.js that speaks HTTP/2 only."""
    command = program("node"), str(NODE_SCRIPT), str(ca.server_files("localhost"))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout
        yield f"https://localhost:{int(node.stdout.readline())}"
        node.kill()


@pytest.fixture
def nginx_origin(ca: ThrowawayCA, tmp_path: Path) -> Iterator[str]:
    """The URL of an nginx that speaks HTTP/2 and HTTP/1.1, and says which of them it was asked over."""
    port = free_port()
    pem, folders = ca.server_files("localhost"), "client_body proxy fastcgi uwsgi scgi".split()
    temporary = " ".join([f"{folder}_temp_path {tmp_path}/{folder};" for folder in folders])
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(
        f"daemon off; pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; {temporary}"
        f" ssl_certificate {pem}; ssl_certificate_key {pem}; server {{ listen 127.0.0.1:{port} ssl http2;"
        f' location / {{ add_header Cache-Control max-age=60; return 200 "$server_protocol"; }} }} }}'
    )
    with subprocess.Popen([program("nginx"), "-c", str(configuration)], stderr=subprocess.DEVNULL) as nginx:
        try:
            wait_until(lambda: accepts_connections(port))
            yield f"https://localhost:{port}"
        finally:
            nginx.terminate()


def test_an_origin_with_http2_only_is_cached_for_clients_of_both_protocols(proxy: Proxy, node_origin: str) -> None:
    first, second = curl(proxy, f"{node_origin}/a", "--http1.1"), curl(proxy, f"{node_origin}/a", "--http2")
    assert (first.status, json.loads(first.content)) == (200, {"method": "GET", "path": "/a", "size": 0})
    assert first.fields["Via"] == "2.0 secondhand"
    assert (second.status, second.content) == (203, first.content)


def test_an_origin_with_http2_only_gets_uploads(proxy: Proxy, node_origin: str, tmp_path: Path) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(bytes(5_000_000))
    for protocol in ("--http1.1", "--http2"):
        response = curl(proxy, f"{node_origin}/a", protocol, "--data-binary", f"@{upload}")
        assert json.loads(response.content) == {"method": "POST", "path": "/a", "size": 5_000_000}


def test_httpx_gets_the_copy_over_http2(proxy: Proxy, node_origin: str) -> None:
    trusted = ssl.create_default_context(cafile=str(proxy.certificate))
    with httpx.Client(http1=False, http2=True, verify=trusted, proxy=proxy.url, trust_env=False) as client:
        first, second = client.get(f"{node_origin}/x"), client.get(f"{node_origin}/x")
    assert (first.http_version, first.status_code, first.json()["path"]) == ("HTTP/2", 200, "/x")
    assert (second.http_version, second.status_code, second.content) == ("HTTP/2", 203, first.content)


def test_nginx_is_asked_over_http2(proxy: Proxy, nginx_origin: str) -> None:
    first, second = curl(proxy, f"{nginx_origin}/a"), curl(proxy, f"{nginx_origin}/a")
    assert (first.status, first.content, first.fields["Via"]) == (200, b"HTTP/2.0", "2.0 secondhand")
    assert (second.status, second.content, second.fields["Via"]) == (203, b"HTTP/2.0", "2.0 secondhand")


def test_http2_can_be_switched_off(ca: ThrowawayCA, nginx_origin: str, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    with Proxy(folder, origin_ca=ca.file, settings={"ORIGIN__HTTP2": "never"}) as proxy:
        assert curl(proxy, f"{nginx_origin}/a").content == b"HTTP/1.1"
