"""The control socket between the command line and a running proxy."""

import asyncio
import os
import shutil
import socket
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from addon.runtime import control
from addon.runtime.control import ControlServer
from addon.runtime.control_client import MAX_LINE, ControlClient, ControlError, numbers_in, running_proxies

Start = Callable[[Path], ControlServer]


async def echo(arguments: Mapping[str, object]) -> dict[str, object]:
    return dict(arguments)


async def refuse(arguments: Mapping[str, object]) -> dict[str, object]:
    raise ValueError("expected a host")


async def fail(arguments: Mapping[str, object]) -> dict[str, object]:
    raise RuntimeError("out of order")


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts servers in another thread's event loop. All are closed at the end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    servers: list[ControlServer] = []

    def started(store: Path) -> ControlServer:
        server = ControlServer(store, {"echo": echo, "refuse": refuse, "break": fail})
        asyncio.run_coroutine_threadsafe(server.start(), loop).result()
        servers.append(server)
        return server

    try:
        yield started
    finally:
        for server in servers:
            asyncio.run_coroutine_threadsafe(server.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_a_command_gets_a_reply(tmp_path: Path, start: Start) -> None:
    start(tmp_path)
    [proxy] = running_proxies(tmp_path)
    assert proxy.path == tmp_path / f"control-{os.getpid()}.sock"
    assert proxy.ask("echo", host="exämple.test", count=3) == {"host": "exämple.test", "count": 3}


def test_only_the_owner_can_access_the_socket(tmp_path: Path, start: Start) -> None:
    store = tmp_path / "new" / "store"
    server = start(store)
    assert server.path is not None
    assert stat.S_IMODE(server.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.stat().st_mode) == 0o700


def test_a_path_beyond_the_limit_of_socket_addresses_works(tmp_path: Path, start: Start) -> None:
    store = tmp_path / ("d" * 120) / ("e" * 120)
    start(store)
    [proxy] = running_proxies(store)
    assert proxy.ask("echo", all=True) == {"all": True}


def test_an_error_reaches_the_client_as_a_sentence(tmp_path: Path, start: Start) -> None:
    start(tmp_path)
    [proxy] = running_proxies(tmp_path)
    with pytest.raises(ControlError, match=r"^expected a host"):
        proxy.ask("refuse")
    with pytest.raises(ControlError, match="unknown command dance, expected one of break, echo, refuse"):
        proxy.ask("dance")


def test_the_socket_stays_usable_after_a_handler_fails(tmp_path: Path, start: Start) -> None:
    start(tmp_path)
    [proxy] = running_proxies(tmp_path)
    with pytest.raises(ControlError, match="RuntimeError: out of order"):
        proxy.ask("break")
    assert proxy.ask("echo", still="here") == {"still": "here"}


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"what?\n", b"expected a JSON object"),
        (b"[1]\n", b"expected a JSON object"),
        (b'{"command": "echo"}\n', b"expected a JSON object"),
        (b'{"command": ["echo"], "arguments": {}}\n', b"unknown command"),
        (b'{"command": "echo", "arguments": 5}\n', b"unknown command"),
        (b"x" * (MAX_LINE + 2) + b"\n", b"expected a line of at most"),
    ],
)
def test_an_invalid_request_gets_an_error_reply(tmp_path: Path, start: Start, line: bytes, error: bytes) -> None:
    server = start(tmp_path)
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(server.path))
        with suppress(BrokenPipeError):  # the server stops reading a line that is too long
            raw.sendall(line)
        assert error in raw.makefile("rb").readline()


def test_one_connection_may_carry_several_requests(tmp_path: Path, start: Start) -> None:
    server = start(tmp_path)
    with socket.socket(socket.AF_UNIX) as raw, raw.makefile("rb") as replies:
        raw.connect(str(server.path))
        for number in (b"1", b"2"):
            raw.sendall(b'{"command": "echo", "arguments": {"n": ' + number + b"}}\n")
            assert replies.readline() == b'{"result": {"n": ' + number + b"}}\n"


def test_a_socket_without_a_listener_is_removed(tmp_path: Path, start: Start) -> None:
    dead = tmp_path / "control-1.sock"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(dead))
    server = start(tmp_path)
    assert [proxy.path for proxy in running_proxies(tmp_path)] == [server.path]
    assert not dead.exists()


def test_a_socket_without_a_listener_of_the_same_process_id_is_replaced(tmp_path: Path, start: Start) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / f"control-{os.getpid()}.sock"))
    start(tmp_path)
    [proxy] = running_proxies(tmp_path)
    assert proxy.ask("echo", a=1) == {"a": 1}


def test_two_proxies_with_the_same_process_id_work_side_by_side(tmp_path: Path, start: Start) -> None:
    start(tmp_path)
    start(tmp_path)
    assert [proxy.ask("echo", a=1) for proxy in running_proxies(tmp_path)] == [{"a": 1}, {"a": 1}]


def test_a_closed_server_leaves_no_file_and_no_connection(tmp_path: Path) -> None:
    async def open_and_close() -> None:
        server = ControlServer(tmp_path, {"echo": echo})
        await server.start()
        reader, writer = await asyncio.open_unix_connection(str(server.path))
        writer.write(b'{"command": "echo", "arguments": {}}\n')
        assert await reader.readline() == b'{"result": {}}\n'
        await server.close()
        assert await reader.read() == b""
        writer.close()

    asyncio.run(open_and_close())
    assert list(tmp_path.iterdir()) == []


def test_a_socket_that_was_removed_is_created_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "GUARD_INTERVAL", 0.0)

    async def remove_and_ask() -> list[dict[str, object]]:
        server = ControlServer(tmp_path / "store", {"echo": echo})
        await server.start()
        shutil.rmtree(tmp_path / "store")
        while not (proxies := await asyncio.to_thread(running_proxies, tmp_path / "store")):
            await asyncio.sleep(0)
        try:
            return [await proxy.ask_async("echo", a=1) for proxy in proxies]
        finally:
            await server.close()

    assert asyncio.run(asyncio.wait_for(remove_and_ask(), 60)) == [{"a": 1}]


def test_a_socket_that_cannot_be_created_yet_is_created_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(control, "GUARD_INTERVAL", 0.0)
    (tmp_path / "store").write_text("a file in the place of the directory")

    async def start_and_ask() -> None:
        server = ControlServer(tmp_path / "store", {"echo": echo})
        await server.start()
        for _ in range(10):
            await asyncio.sleep(0.001)
        (tmp_path / "store").unlink()
        while server.path is None:
            await asyncio.sleep(0)
        await server.close()

    asyncio.run(asyncio.wait_for(start_and_ask(), 60))
    assert len(caplog.records) == 1


def test_a_missing_socket_is_an_error_that_names_it(tmp_path: Path) -> None:
    missing = tmp_path / "control-1.sock"
    with pytest.raises(ControlError, match=r"control-1\.sock"):
        ControlClient(missing).ask("ping")


def test_a_proxy_that_closes_before_it_replies_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "control-1.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def accept_and_close() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(100)

        thread = threading.Thread(target=accept_and_close)
        thread.start()
        with pytest.raises(ControlError, match="closed the connection"):
            ControlClient(path).ask("ping")
        thread.join()


def test_a_missing_store_has_no_running_proxies(tmp_path: Path) -> None:
    assert running_proxies(tmp_path / "nowhere") == []


def test_only_whole_numbers_of_a_reply_are_numbers() -> None:
    assert numbers_in({"requests": 3, "state": "ok", "hits": None}) == {"requests": 3}
    assert numbers_in("not a table") == {}
