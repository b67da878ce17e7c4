"""Connections of the admin listener on which no request comes, or nothing that is HTTP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from addon.config.settings import Settings
from addon.serve.admin import protocol, server
from addon.serve.admin.administered import Administered
from addon.serve.admin.protocol import AdminProtocol
from addon.serve.admin.server import AdminServer
from tests.fixtures.until import LONGEST

type Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def converse(conversation: Conversation, folder: Path) -> None:
    """Have a conversation with a server in this process."""

    async def run() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        settings = Settings.model_validate({"store": {"path": str(folder)}})
        admin = AdminServer(Administered(settings, {}, lambda: True))
        await admin.start([listener])
        try:
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            async with asyncio.timeout(LONGEST):
                await conversation(reader, writer)
            writer.close()
        finally:
            await admin.close()
            listener.close()

    asyncio.run(run())


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost:"])
def test_a_connection_without_a_whole_head_is_closed(
    sent: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        assert await reader.read() == b""

    monkeypatch.setattr(protocol, "HEAD_TIMEOUT", 0.05)
    converse(conversation, tmp_path)


def test_the_next_request_on_a_connection_has_the_same_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await reader.readuntil(b'{"status": "ok"}\n')).startswith(b"HTTP/1.1 200 ")
        monkeypatch.setattr(protocol, "HEAD_TIMEOUT", 0.05)
        writer.write(b"GET /healthz")
        assert await reader.read() == b""

    converse(conversation, tmp_path)


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x00\x00\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET /%s HTTP/1.1\r\n\r\n" % (b"a" * 200_000)]
)
def test_what_is_no_request_is_a_problem_as_well(sent: bytes, tmp_path: Path) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        answer = await reader.readuntil(b"}\n")
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        head = answer.lower()
        assert b"content-type: application/problem+json\r\n" in head
        assert b"cache-control: no-store\r\n" in head

    converse(conversation, tmp_path)


def test_content_that_is_malformed_after_the_response_ends_the_connection_and_is_not_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"POST /purge HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert (await reader.readuntil(b"}\n")).startswith(b"HTTP/1.1 401 ")
        writer.write(b"no length\r\n")
        assert await reader.read() == b""

    converse(conversation, tmp_path)
    assert caplog.text == ""


REQUESTS = b"GET /page/style.css HTTP/1.1\r\nHost: localhost\r\n\r\n" * 10_000
"""More requests than the system keeps responses for."""


@pytest.fixture
def is_full(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Return an event that is set once a response waits for its client to read."""
    event = asyncio.Event()

    class Watched(AdminProtocol):
        def pause_writing(self) -> None:
            super().pause_writing()
            event.set()

    monkeypatch.setattr(server, "AdminProtocol", Watched)
    return event


def test_connections_whose_client_does_not_read_lock_nobody_out(
    is_full: asyncio.Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def conversation(_: asyncio.StreamReader, unread: asyncio.StreamWriter) -> None:
        unread.write(REQUESTS)
        await is_full.wait()
        reader, writer = await asyncio.open_connection(*unread.get_extra_info("peername"))
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await reader.readuntil(b'{"status": "ok"}\n')).startswith(b"HTTP/1.1 200 ")
        writer.close()

    monkeypatch.setattr(protocol, "MAX_CONNECTIONS", 1)
    converse(conversation, tmp_path)


def test_a_client_that_does_not_read_is_disconnected(
    is_full: asyncio.Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def conversation(reader: asyncio.StreamReader, unread: asyncio.StreamWriter) -> None:
        unread.write(REQUESTS)
        await is_full.wait()
        with pytest.raises(ConnectionError):
            await reader.read()

    monkeypatch.setattr(protocol, "WRITE_TIMEOUT", 0.0)
    converse(conversation, tmp_path)
