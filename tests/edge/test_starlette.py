"""A Starlette site on uvicorn behind the edge: streams, events, background tasks, WebSockets, large files."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from wsproto.events import CloseConnection, Ping, Pong, TextMessage

from tests.edge.browser import is_copy
from tests.edge.comparison import Ask, check_same_answers
from tests.edge.fronts import Front
from tests.edge.servers import server
from tests.edge.web_socket import web_socket
from tests.fixtures.free_port import free_port
from tests.fixtures.proxy_process import COMMANDS

MIB = 1 << 20
UPLOAD = 200 * MIB
DOWNLOAD = 100 * MIB
MAX_EXTRA_MEMORY = 24 * MIB
"""Bytes of memory that secondhand may use in addition for a body of any size."""


@pytest.fixture(scope="module")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("large") / "large.bin"
    file.write_bytes(random.Random(1).randbytes(MIB) * (DOWNLOAD // MIB))
    return file


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory, large_file: Path) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("starlette"), free_port()
    options = ("--app-dir", Path(__file__).parent / "applications", "--port", str(port), "--ws", "wsproto")
    with server(folder, port, COMMANDS / "uvicorn", *options, "starlette_live:app", LARGE_FILE=str(large_file)):
        yield f"http://127.0.0.1:{port}"


def test_a_stream_arrives_while_it_is_made(ann: httpx.Client, bob: httpx.Client) -> None:
    with ann.stream("GET", "/stream") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "begin"
        for text in ("one", "two"):
            bob.post("/step", content=text)
            assert next(lines) == text
        bob.post("/step", content="")
        assert list(lines) == []


def test_each_event_arrives_before_the_next_one_is_made(ann: httpx.Client, bob: httpx.Client) -> None:
    for last, first in (({}, "after nothing"), ({"Last-Event-ID": "7"}, "after 7")):
        with ann.stream("GET", "/events", headers={"Accept": "text/event-stream", **last}) as answer:
            assert answer.status_code == 200  # an EventSource accepts no other
            lines = answer.iter_lines()
            assert next(lines) == f"data: {first}"
            assert next(lines) == ""
            bob.post("/step", content="news")
            assert next(lines) == "data: news"
            bob.post("/step", content="")
            assert list(lines) == [""]


def test_a_background_task_is_done_after_the_response(ann: httpx.Client, front: Front) -> None:
    name = f"for {front.scheme}"
    answer = ann.post("/order", content=name)
    assert (answer.status_code, answer.json()) == (202, {"accepted": name})
    while name not in (done := ann.get("/done")).json():
        assert not is_copy(done)


def test_a_web_socket_knows_by_which_url_it_was_opened(front: Front) -> None:
    with web_socket(front, "/socket", "other", "chat") as socket:
        assert socket.subprotocol == "chat"
        socket.send(TextMessage("hello"))
        scheme = {"http": "ws", "https": "wss"}[front.scheme]
        assert socket.next() == TextMessage(f"{scheme}://shop.test hello")
        socket.send(Ping(b"there?"))
        assert socket.next() == Pong(b"there?")
        socket.send(CloseConnection(code=1000, reason="bye"))
        assert isinstance(socket.next(), CloseConnection)


def test_a_web_socket_that_the_application_closes_is_closed(front: Front) -> None:
    with web_socket(front, "/socket") as socket:
        socket.send(TextMessage("enough"))
        assert socket.next() == CloseConnection(code=4000, reason="as you wish")


@pytest.mark.parametrize("framing", ["with a length", "in chunks"])
def test_an_upload_of_200_mib_is_not_held_in_memory(front: Front, ann: httpx.Client, framing: str) -> None:
    assert front.proxy
    part, digest = random.Random(2).randbytes(MIB), hashlib.sha256()
    for _ in range(UPLOAD // MIB):
        digest.update(part)
    ann.put("/upload", content=b"warm up")
    front.proxy.reset_peak_memory()
    before = front.proxy.peak_memory()

    parts = (part for _ in range(UPLOAD // MIB))
    answer = ann.put(
        "/upload", content=parts, headers={"Content-Length": str(UPLOAD)} if framing != "in chunks" else {}
    )

    assert (answer.status_code, answer.json()) == (201, {"size": UPLOAD, "sha256": digest.hexdigest()})
    assert front.proxy.peak_memory() - before < MAX_EXTRA_MEMORY


@pytest.mark.parametrize("cache", ["no-store", "max-age=600"])
def test_a_download_of_100_mib_is_not_held_in_memory(
    front: Front, ann: httpx.Client, large_file: Path, cache: str
) -> None:
    assert front.proxy
    ann.get("/done")
    front.proxy.reset_peak_memory()
    before = front.proxy.peak_memory()
    with large_file.open("rb") as file:
        expected = hashlib.file_digest(file, "sha256").hexdigest()

    for turn in range(2):
        digest = hashlib.sha256()
        with ann.stream("GET", f"/large?cache={cache}") as answer:
            assert is_copy(answer) == (turn == 1 and cache != "no-store")
            for chunk in answer.iter_raw():
                digest.update(chunk)
        assert digest.hexdigest() == expected
    assert front.proxy.peak_memory() - before < MAX_EXTRA_MEMORY


@pytest.mark.parametrize("cache", ["no-store", "max-age=600"])
def test_ranges_of_a_large_file_are_what_is_at_their_places(
    front: Front, ann: httpx.Client, large_file: Path, cache: str
) -> None:
    target = f"/large?cache={cache}"
    etag = ann.head(target).headers["ETag"]
    for first, last in ((0, 99), (DOWNLOAD - 100, DOWNLOAD - 1), (7 * MIB - 5, 9 * MIB)):
        for condition in ({}, {"If-Range": etag}):
            answer = ann.get(target, headers={"Range": f"bytes={first}-{last}", **condition})
            assert answer.status_code == 206
            assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{DOWNLOAD}"
            with large_file.open("rb") as file:
                file.seek(first)
                assert answer.content == file.read(last - first + 1)
    assert ann.get(target, headers={"Range": f"bytes={DOWNLOAD}-"}).status_code == 416


def test_it_answers_as_nginx_would(front: Front, nginxes: dict[str, Front]) -> None:
    """An nginx with a cache fetches the whole file for each range, and sends all of it if it may not be stored."""
    target = "/large?cache=no-store"
    asks = [
        Ask("/done", "HEAD"),
        Ask("/upload", "POST", content=b"a" * 100_000),
        Ask("/upload"),
        Ask("/socket"),
        Ask(target, "HEAD"),
        Ask(target, fields={"Range": "bytes=5-9"}),
        Ask(target, fields={"Range": "bytes=-10"}),
        Ask(target, fields={"Range": "bytes=10-5"}),
        Ask(target, fields={"Range": f"bytes={DOWNLOAD}-"}),
    ]
    check_same_answers(front, nginxes["without a cache"], asks)
