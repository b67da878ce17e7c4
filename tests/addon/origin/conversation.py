"""Runs conversations between the origin client and a raw origin."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvloop

from addon.origin import OriginClient, OriginFailure, OriginOptions, OriginResponse
from cache.http.messages import Fields, Request, Response
from tests.fixtures.raw_origin import RawOrigin, Script, answering


@pytest.fixture(autouse=True)
def no_system_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use no system CAs by default: to load them takes longer than most conversations."""
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    monkeypatch.setenv("SSL_CERT_DIR", os.devnull)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def each_loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test on asyncio's event loop and on uvloop, which the proxy uses."""
    monkeypatch.setattr("tests.addon.origin.conversation.new_event_loop", request.param)


new_event_loop = asyncio.new_event_loop


def get(origin: RawOrigin, target: str = "/", *fields: tuple[str, str], method: str = "GET") -> Request:
    return Request(method, "http", "127.0.0.1", origin.port, target, Fields(fields))


def get_securely(origin: RawOrigin, host: str = "localhost") -> Request:
    return Request("GET", "https", host, origin.port, "/")


def post_of(origin: RawOrigin, *fields: tuple[str, str], method: str = "POST") -> Request:
    return Request(method, "http", "127.0.0.1", origin.port, "/", Fields(fields), has_content=True)


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def whole(response: OriginResponse) -> bytes:
    return b"".join([chunk async for chunk in response.body()])


async def fetch_whole(client: OriginClient, request: Request) -> bytes:
    return await whole(await client.fetch(request))


def eager_task_factory(loop: asyncio.AbstractEventLoop, coro: object, **given: object) -> asyncio.Task[object]:
    """Do what asyncio's does, which in CPython 3.13.0 refuses a keyword that uvloop passes."""
    return asyncio.Task(coro, **(given | {"loop": loop, "eager_start": True}))  # type: ignore[arg-type,misc,call-overload]


type Conversation[T] = Callable[[OriginClient, RawOrigin], Awaitable[T]]


def converse[T](
    conversation: Conversation[T],
    *scripts: Script,
    tls: ssl.SSLContext | None = None,
    options: OriginOptions | None = None,
    clock: Callable[[], float] = lambda: 0.0,
    eager: bool = False,
) -> T:
    """Run a conversation between a client and an origin that follows scripts, on a new event loop."""

    async def main() -> T:
        if eager:
            asyncio.get_running_loop().set_task_factory(eager_task_factory)
        async with RawOrigin(*scripts, tls=tls) as origin:
            client = OriginClient(options or OriginOptions(proxy="none"), clock)
            try:
                return await conversation(client, origin)
            finally:
                await client.close()

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        result = runner.run(main())
    gc.collect()  # so that an unclosed resource is reported in the test that left it open
    return result


def receive(data: bytes, method: str = "GET") -> tuple[Response, bytes, int]:
    """Send two requests to an origin that answers each with `data` and then closes the connection in order.

    Returns:
        The first response's head, its body, and the number of connections that the two requests used.
    """

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[Response, bytes, int]:
        response = await client.fetch(get(origin, method=method))
        body = await whole(response)
        second = await client.fetch(get(origin, method=method))
        await whole(second)
        return response.head, body, origin.connections

    return converse(conversation, answering(data, data, then_close=True))


def refusal(data: bytes, method: str = "GET") -> OriginFailure:
    """Return the failure that an origin causes when it writes `data` and closes the connection in order."""

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        await whole(await client.fetch(get(origin, method=method)))

    with pytest.raises(OriginFailure) as caught:
        converse(conversation, answering(data, then_close=True))
    return caught.value


def head_refusal(data: bytes) -> OriginFailure:
    """As `refusal`, for a failure that must occur before the response's head is returned."""

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        await client.fetch(get(origin))

    with pytest.raises(OriginFailure) as caught:
        converse(conversation, answering(data, then_close=True))
    return caught.value


def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])
