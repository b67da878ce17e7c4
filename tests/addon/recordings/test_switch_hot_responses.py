"""Hot responses, which are found by the bytes of a request, become invalid when a recording, a replay or a capture
changes the response.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from cache.http.fields import imf_date
from cache.stores.disk.store import DiskStore
from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.until import wait_until
from tests.fixtures.web_origin import Origin

SETTINGS = {"ORIGIN__PROXY": "none"}
FRESH = {"Cache-Control": "max-age=600"}


class Client:
    """A client that repeats the same requests on one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._reader = connection.makefile("rb")

    def get(self, url: str, *fields: str) -> tuple[int, bytes, dict[str, str]]:
        lines = [f"GET {url} HTTP/1.1", f"Host: {urlsplit(url).netloc}", *fields, "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        status = int(self._reader.readline().split()[1])
        response_fields: dict[str, str] = {}
        while line := self._reader.readline().decode("latin-1").strip():
            name, _, value = line.partition(": ")
            response_fields[name.lower()] = value
        return status, self._reader.read(int(response_fields["content-length"])), response_fields

    def twice(self, url: str, *fields: str) -> tuple[int, bytes]:
        """Send a request twice and return status and content, which must be equal. The second may be a hot response."""
        first, second = self.get(url, *fields)[:2], self.get(url, *fields)[:2]
        assert first == second
        return second

    def close(self) -> None:
        self._reader.close()


@contextmanager
def connected(proxy: Proxy) -> Iterator[Client]:
    with (
        socket.create_connection(("127.0.0.1", proxy.port), TIMEOUT) as connection,
        closing(Client(connection)) as client,
    ):
        yield client


def test_the_same_request_gets_the_response_of_the_current_mode(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a", b"recorded", FRESH)
    with Proxy(tmp_path, settings=SETTINGS) as proxy, connected(proxy) as client:
        proxy.run("record", "demo")
        assert client.twice(url) == (200, b"recorded")
        proxy.run("record", "--stop")
        serve_page(origin, "/a", b"copied", FRESH)
        assert client.get(url)[:2] == (200, b"copied")
        assert client.twice(url) == (203, b"copied")
        for _ in range(2):
            proxy.run("replay", "demo")
            assert client.twice(url) == (203, b"recorded")
            proxy.run("replay", "--stop")
            assert client.twice(url) == (203, b"copied")
        proxy.run("record", "demo")  # while recording, every request is forwarded to the origin
        serve_page(origin, "/a", b"recorded anew", FRESH)
        assert client.twice(url) == (200, b"recorded anew")
        proxy.run("replay", "demo")
        assert client.twice(url) == (203, b"recorded anew")
        proxy.run("offline")
        assert client.twice(url) == (203, b"copied")


def test_a_replay_shows_changes_of_the_recording_by_another_process(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a", b"one", FRESH)
    recording = tmp_path / "store" / "recordings" / "demo"
    record, replay = (("secondhand", "serve", f"--{each}", "demo") for each in ("record", "replay"))
    with Proxy(tmp_path, command=record, settings=SETTINGS) as recorder, connected(recorder) as recording_client:
        assert recording_client.get(url)[:2] == (200, b"one")
        recorder.run("stats")
        wait_until(lambda: b"one" in contents(recording))
        with Proxy(tmp_path, command=replay, settings=SETTINGS) as replayer, connected(replayer) as client:
            assert client.twice(url) == (203, b"one")
            serve_page(origin, "/a", b"two", FRESH)
            assert recording_client.get(url)[:2] == (200, b"two")
            wait_until(lambda: b"two" in contents(recording))
            assert client.twice(url) == (203, b"two")
            recorder.run("purge", url, "--store", str(recording))
            assert client.twice(url)[0] == 504


def contents(recording: Path) -> list[bytes]:
    """Return the contents of the responses that are on disk in a recording."""
    with closing(DiskStore(recording, 1 << 62)) as store:
        return [store.open(entry).read(0, entry.length) for entry in store.entries()]


def test_the_capture_is_selected_for_each_request(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a", b"one", FRESH)
    with Proxy(tmp_path, settings={**SETTINGS, "STORE__CAPTURES": "3"}) as proxy, connected(proxy) as client:
        assert client.get(url)[0] == 200
        status, content, fields = client.get(url, "Accept-Datetime: " + imf_date(0))
        assert (status, content, fields["vary"]) == (203, b"one", "accept-datetime")
        first = fields["memento-datetime"]
        assert client.twice(url) == (203, b"one")
        serve_page(origin, "/a", b"two", FRESH)
        while imf_date(time.time()) == first:  # captures differ by at least one second
            pass
        assert client.get(url, "Cache-Control: no-cache")[:2] == (200, b"two")
        later = client.get(url, "Accept-Datetime: " + imf_date(4e9))[2]["memento-datetime"]
        assert client.twice(url) == (203, b"two")
        assert "memento-datetime" not in client.get(url)[2]
        for moment, expected in ((imf_date(0), b"one"), (first, b"one"), (later, b"two")):
            assert client.twice(url, f"Accept-Datetime: {moment}") == (203, expected)
        assert client.twice(url) == (203, b"two")
        proxy.run("purge", url)
        assert client.get(url, f"Accept-Datetime: {first}")[:2] == (200, b"two")
