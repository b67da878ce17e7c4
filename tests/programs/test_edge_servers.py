"""An edge in front of nginx, and of gunicorn on a Unix socket: restarts of both, and HTTP/2 over TLS."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.fixtures.free_port import free_port
from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.installed_programs import program

APP = """
def app(environ, start_response):
    body = f"gunicorn {environ['PATH_INFO']} {environ['HTTP_HOST']}".encode()
    start_response("200 OK", [("Content-Length", str(len(body))), ("Cache-Control", "no-store")])
    return [body]
"""


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> ThrowawayCA:
    return ThrowawayCA(tmp_path_factory.mktemp("ca"), "throwaway")


def wait_for(family: socket.AddressFamily, address: object) -> None:
    until = time.monotonic() + TIMEOUT
    while True:
        with socket.socket(family) as probe:
            try:
                probe.connect(address)  # type: ignore[arg-type]  # an address of any family
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.02)
            else:
                return


@contextmanager
def gunicorn(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    (folder / "echo_app.py").write_text(APP)
    command = [sys.executable, "-m", "gunicorn", "-b", f"unix:{folder}/app.sock", "--chdir", str(folder)]
    with subprocess.Popen([*command, "--graceful-timeout", "1", "echo_app:app"], stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(socket.AF_UNIX, f"{folder}/app.sock")
            yield process
        finally:
            process.terminate()


@contextmanager
def nginx(folder: Path, ca: ThrowawayCA) -> Iterator[int]:
    """Run an nginx with TLS and HTTP/2 for the name `internal.example`; its port."""
    port = free_port()
    folder.mkdir()
    pem, folders = ca.server_files("internal.example"), "client_body proxy fastcgi uwsgi scgi".split()
    temporary = " ".join([f"{each}_temp_path {folder}/{each};" for each in folders])
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; pid {folder}/pid; error_log stderr; events {{}} http {{ access_log off; {temporary}"
        f" ssl_certificate {pem}; ssl_certificate_key {pem}; server {{ listen 127.0.0.1:{port} ssl http2;"
        f' location / {{ add_header Cache-Control no-store; return 200 "nginx $uri $host $server_protocol"; }} }} }}'
    )
    with subprocess.Popen([program("nginx"), "-c", str(configuration)], stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(socket.AF_INET, ("127.0.0.1", port))
            yield port
        finally:
            process.terminate()


def site(*origins: str, **keys: object) -> dict[str, str]:
    given = {"hosts": ["app.example"], "origins": list(origins), **keys}
    return {
        "SITE": f"[{{ {', '.join(f'{name} = {json.dumps(value)}' for name, value in given.items())} }}]",
        "ORIGIN__PROXY": "none",
    }


def bodies(proxy: Proxy, count: int) -> list[str]:
    """Return the bodies of so many responses, all of which have status 200."""
    with requests.Session() as session:
        found = [session.get(f"{proxy.url}/{n}", headers={"Host": "app.example"}, timeout=60) for n in range(count)]
    assert {response.status_code for response in found} == {200}
    return [response.text for response in found]


def test_nginx_over_http2_and_gunicorn_on_a_unix_socket_are_origins_of_one_site(
    tmp_path: Path, ca: ThrowawayCA
) -> None:
    keys = {"sni": "internal.example", "ca_files": [str(ca.file)], "fail_timeout": 0.3}
    with nginx(tmp_path / "nginx", ca) as port, gunicorn(tmp_path) as workers:
        settings = site(f"unix:{tmp_path}/app.sock:/app", f"https://127.0.0.1:{port}/pre", **keys)
        with Proxy(tmp_path, settings=settings) as proxy:
            both = bodies(proxy, 20)
            assert {body.split()[0] for body in both} == {"gunicorn", "nginx"}
            assert {body for body in both if body.endswith("HTTP/2.0")} == {
                f"nginx /pre/{number} app.example HTTP/2.0" for number in range(20) if both[number].startswith("nginx")
            }
            assert all(
                body == f"gunicorn /app/{number} app.example"
                for number, body in enumerate(both)
                if body.startswith("gunicorn")
            )
            workers.send_signal(signal.SIGHUP)  # gunicorn starts new workers
            bodies(proxy, 40)
            workers.terminate()
            workers.wait(TIMEOUT)
            assert {body.split()[0] for body in bodies(proxy, 20)} == {"nginx"}
            assert f"the origin unix:{tmp_path}/app.sock:/app of the site app.example is down" in proxy.messages
            with gunicorn(tmp_path):
                until = time.monotonic() + TIMEOUT
                while {body.split()[0] for body in bodies(proxy, 10)} == {"nginx"}:
                    assert time.monotonic() < until
                proxy.wait_for_message("app.sock:/app of the site app.example is up again")
