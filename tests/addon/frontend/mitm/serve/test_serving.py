"""A real proxy in which mitmproxy listens: for scripts, and for modes of its own."""

from __future__ import annotations

import http.client
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fixtures.free_port import free_port
from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin

FRESH = {"Cache-Control": "max-age=600"}
SCRIPT = """
seen = []

def request(flow):
    flow.request.path = flow.request.path.replace("/asked", "/real")
    seen.append("request")

def response(flow):
    flow.response.headers["X-Seen"] = str(len(flow.response.content))

def error(flow):
    seen.append("error")
"""


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


def ask(proxy: Proxy, url: str, method: str = "GET", body: bytes | None = None) -> http.client.HTTPResponse:
    """Return a response whose content was read."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=TIMEOUT)
    with closing(connection):
        connection.request(method, url, body)
        response = connection.getresponse()
        response.content = response.read()  # type: ignore[attr-defined]  # for the tests
        return response


def test_a_script_changes_requests_before_the_cache_and_responses_after_it(tmp_path: Path, origin: Origin) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    serve_page(origin, "/real", b"real", FRESH)
    command = ("secondhand", "serve", "--script", str(script))
    with Proxy(tmp_path, command=command, settings={"ORIGIN__PROXY": "none"}) as proxy:
        answers = [ask(proxy, f"http://localhost:{origin.port}/asked") for _ in range(2)]
        assert [answer.status for answer in answers] == [203, 203]  # the script has changed the origin's 200
        assert [answer.getheader("X-Seen") for answer in answers] == ["4", "4"]
        assert len(origin.requests_for("/real")) == 1
        assert proxy.counters()["hits"] == 1
        proxy.stop()  # everything is on the disk then
        assert proxy.run("ls").endswith(f"\thttp://localhost:{origin.port}/real\n")


def test_the_access_log_has_a_line_for_each_response(tmp_path: Path, origin: Origin) -> None:
    page = serve_page(origin, "/page", b"page", FRESH)
    secret = serve_page(origin, "/secret", b"secret", {"Cache-Control": "no-store"})
    settings = {"ORIGIN__PROXY": "none", "LOG__ACCESS": str(tmp_path / "access.log")}
    with Proxy(tmp_path, command=("secondhand", "serve", "--no-door"), settings=settings) as proxy:
        ask(proxy, page)
        ask(proxy, page)
        ask(proxy, secret)
        ask(proxy, "http://localhost:1/")
        proxy.stop()
    lines = [line.partition("] ")[2] for line in (tmp_path / "access.log").read_text().splitlines()]
    assert lines[:2] == [f'"GET {page} HTTP/1.1" 200 4 uri-miss', f'"GET {page} HTTP/1.1" 203 4 hit']
    assert lines[2] == f'"GET {secret} HTTP/1.1" 200 6 uri-miss/no-store'
    assert lines[3].startswith('"GET http://localhost:1/ HTTP/1.1" 502 ')


def test_a_client_reaches_the_cache_by_socks(tmp_path: Path, origin: Origin) -> None:
    serve_page(origin, "/page", b"page", FRESH)
    with Proxy(tmp_path, command=("secondhand", "serve", "--mode", "socks5")) as proxy:
        for status in (b"200", b"203"):
            with socket.create_connection(("127.0.0.1", proxy.port), TIMEOUT) as client:
                client.sendall(b"\x05\x01\x00")
                assert client.recv(2) == b"\x05\x00"
                name = b"localhost"
                client.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + origin.port.to_bytes(2, "big"))
                assert client.recv(10)[:2] == b"\x05\x00"
                client.sendall(b"GET /page HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % origin.port)
                assert client.recv(100).startswith(b"HTTP/1.1 " + status)


def test_a_client_reaches_the_cache_as_if_it_were_the_origin(tmp_path: Path, origin: Origin) -> None:
    """It names the proxy in its Host field, which is no loop here."""
    serve_page(origin, "/page", b"page", FRESH)
    command = ("secondhand", "serve", "--mode", f"reverse:http://localhost:{origin.port}")
    with Proxy(tmp_path, command=command) as proxy:
        assert [ask(proxy, "/page").status for _ in range(2)] == [200, 203]


def test_a_name_that_a_client_chose_is_kept_from_clients_in_other_modes(tmp_path: Path, origin: Origin) -> None:
    serve_page(origin, "/page", b"page", FRESH)
    reverse = f"reverse:http://localhost:{origin.port}@{free_port()}"
    with Proxy(tmp_path, command=("secondhand", "serve", "--mode", "regular", "--mode", reverse)) as proxy:
        direct = http.client.HTTPConnection("127.0.0.1", int(reverse.rpartition("@")[2]), timeout=TIMEOUT)
        with closing(direct):
            direct.request("GET", "/page", headers={"Host": "bank.example"})
            assert direct.getresponse().read() == b"page"
        proxy.stop()  # everything is on the disk then
        assert proxy.run("ls").endswith(f"\thttp://localhost:{origin.port}/page\n")


def test_a_script_with_an_error_ends_the_start_with_one_message(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("def request(flow)\n    pass\n")
    with pytest.raises(AssertionError) as failed:
        Proxy(tmp_path, command=("secondhand", "serve", "--script", str(script)))
    assert str(failed.value).count("SyntaxError: expected ':'") == 1


def test_an_unknown_mode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match='found "nosuch", expected a mode of mitmproxy: unknown mode'):
        Proxy(tmp_path, command=("secondhand", "serve", "--mode", "nosuch"))


def test_large_content_of_unknown_length_is_streamed_and_stored(tmp_path: Path) -> None:
    size = 12_000_000

    def large(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(size // 100_000):
            connection.sendall(b"186a0\r\n" + b"a" * 100_000 + b"\r\n")
        connection.sendall(b"0\r\n\r\n")

    with (
        closing(socket.create_server(("127.0.0.1", 0))) as server,
        Proxy(tmp_path, command=("secondhand", "serve", "--no-door"), settings={"ORIGIN__PROXY": "none"}) as proxy,
    ):
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=TIMEOUT)
        with closing(connection):
            url = f"http://127.0.0.1:{server.getsockname()[1]}/large"
            connection.request("GET", url)
            accepted, _ = server.accept()
            with accepted:
                sending = threading.Thread(target=large, args=(accepted,))
                sending.start()
                assert len(connection.getresponse().read()) == size
                sending.join()
        copy = ask(proxy, url)
        assert (copy.status, len(copy.content)) == (203, size)  # type: ignore[attr-defined]  # see `ask`


def test_changed_settings_are_in_force_after_a_signal(tmp_path: Path, origin: Origin) -> None:
    page = serve_page(origin, "/page", b"page", FRESH)
    file = tmp_path / "settings.toml"
    file.write_text("")
    settings = {"CONFIG": str(file), "ORIGIN__PROXY": "none"}
    with Proxy(tmp_path, command=("secondhand", "serve", "--no-door"), settings=settings) as proxy:
        assert ask(proxy, page).status == 200
        file.write_text("[answer]\nname = 'after'\n[limits]\nmax_line = 100")
        proxy.signal(signal.SIGHUP)
        proxy.wait_for_message("settings reloaded: answer.name, limits.max_line")
        assert str(ask(proxy, page).getheader("Cache-Status")).startswith("after; hit")
        assert ask(proxy, page + "?" + "a" * 100).status == 414


def test_the_set_up_page_is_there_with_scripts_too(tmp_path: Path) -> None:
    with Proxy(tmp_path, command=("secondhand", "serve", "--no-door")) as proxy:
        pages = [ask(proxy, "/"), ask(proxy, "http://mitm.it/"), ask(proxy, "http://secondhand.internal/")]
        assert [(page.status, b"Set up this computer" in page.content) for page in pages] == [(200, True)] * 3
        assert ask(proxy, "http://mitm.it/cert/pem").content == proxy.certificate.read_bytes()
        assert ask(proxy, "http://mitm.it/", "POST", b"x").status == 405


def test_the_set_up_page_is_not_shown_in_a_tunnel_to_another_host(tmp_path: Path, origin: Origin) -> None:
    serve_page(origin, "/", b"the origin's", FRESH)
    command = ("secondhand", "serve", "--no-door")
    with Proxy(tmp_path, command=command, settings={"ORIGIN__PROXY": "none"}) as proxy:
        for target, content in ((f"localhost:{origin.port}", b"the origin's"), ("mitm.it:80", b"Set up this computer")):
            connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=TIMEOUT)
            with closing(connection):
                connection.set_tunnel(target)
                connection.request("GET", "/", headers={"Host": "mitm.it"})
                assert content in connection.getresponse().read()


def test_a_gateway_has_no_set_up_page(tmp_path: Path, origin: Origin) -> None:
    serve_page(origin, "/", b"the origin's", FRESH)
    command = ("secondhand", "serve", "--no-door", "--mode", f"reverse:http://localhost:{origin.port}")
    with Proxy(tmp_path, command=command, settings={"ORIGIN__PROXY": "none"}) as proxy:
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=TIMEOUT)
        with closing(connection):
            connection.request("GET", "/", headers={"Host": "mitm.it"})
            assert connection.getresponse().read() == b"the origin's"
