"""Conversations between the cache's own client and a raw origin."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvloop

from addon.origin import OriginAnswer, OriginClient, OriginFailure, OriginOptions
from cache.http.messages import Fields, Request, Response
from tests.fixtures.raw_origin import RawOrigin, Script, answering


@pytest.fixture(autouse=True)
def no_system_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust nobody by default: reading the system's trust store takes longer than most conversations."""
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    monkeypatch.setenv("SSL_CERT_DIR", os.devnull)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def each_loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold the conversation on Python's own event loop and on the one that serves."""
    monkeypatch.setattr("tests.addon.origin.conversation.new_event_loop", request.param)


new_event_loop = asyncio.new_event_loop


def get(origin: RawOrigin, target: str = "/", *fields: tuple[str, str], method: str = "GET") -> Request:
    return Request(method, "http", "127.0.0.1", origin.port, target, Fields(fields))


def get_securely(origin: RawOrigin, host: str = "localhost") -> Request:
    return Request("GET", "https", host, origin.port, "/")


def post_of(origin: RawOrigin, *fields: tuple[str, str], method: str = "POST") -> Request:
    return Request(method, "http", "127.0.0.1", origin.port, "/", Fields(fields), has_content=True)


async def pieces(*octets: bytes) -> AsyncIterator[bytes]:
    for each in octets:
        yield each


async def whole(answer: OriginAnswer) -> bytes:
    return b"".join([chunk async for chunk in answer.body()])


async def fetch_whole(client: OriginClient, request: Request) -> bytes:
    return await whole(await client.fetch(request))


def eager_task_factory(loop: asyncio.AbstractEventLoop, coro: object, **given: object) -> asyncio.Task[object]:
    """As asyncio's, which in CPython 3.13.0 refuses what uvloop passes."""
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
    """Run a conversation between a client and an origin that follows scripts, on an event loop of its own."""

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
    gc.collect()  # so that what was left open is reported in the test that left it
    return result


def receive(octets: bytes, method: str = "GET") -> tuple[Response, bytes, int]:
    """Ask twice an origin that writes `octets` and then ends each connection in order.

    Returns:
        The first answer's head, its body, and how many connections the two requests took.
    """

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[Response, bytes, int]:
        answer = await client.fetch(get(origin, method=method))
        body = await whole(answer)
        again = await client.fetch(get(origin, method=method))
        await whole(again)
        return answer.head, body, origin.connections

    return converse(conversation, answering(octets, octets, then_close=True))


def refusal(octets: bytes, method: str = "GET") -> OriginFailure:
    """Return the failure that an origin causes by writing `octets` and ending the connection in order."""

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        await whole(await client.fetch(get(origin, method=method)))

    with pytest.raises(OriginFailure) as caught:
        converse(conversation, answering(octets, then_close=True))
    return caught.value


def head_refusal(octets: bytes) -> OriginFailure:
    """As `refusal`, for what must be refused before anything is handed on."""

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        await client.fetch(get(origin))

    with pytest.raises(OriginFailure) as caught:
        converse(conversation, answering(octets, then_close=True))
    return caught.value


def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])
