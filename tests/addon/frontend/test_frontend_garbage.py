"""A request leaves nothing behind that only a collection of garbage frees: that takes time from all requests."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from tests.addon.frontend.front_end import FrontEndUnderTest, get, run_conversation
from tests.addon.frontend.http2.http2_client import http2_client
from tests.fixtures.raw_origin import CHUNKED, HEAD, RawOrigin, Script, answering
from tests.fixtures.until import settle

REQUESTS = 5
PRIVATE = HEAD + b"Cache-Control: no-store\r\nContent-Length: 2\r\n\r\nok"
FRESH = HEAD + b"Cache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok"
NO_CACHE = HEAD + b'Cache-Control: no-cache\r\nETag: "a"\r\nContent-Length: 2\r\n\r\nok'
CONFIRMED = b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'


def the_same(_: int) -> str:
    return "/"


def another(number: int) -> str:
    return f"/{number}"


EXCHANGES = {
    "hit": (the_same, answering(FRESH)),
    "stored": (another, answering(*[FRESH] * REQUESTS)),
    "not-stored": (another, answering(*[PRIVATE] * REQUESTS)),
    "validated": (the_same, answering(NO_CACHE, *[CONFIRMED] * REQUESTS)),
    "in-chunks": (another, answering(*[CHUNKED + b"2\r\nok\r\n0\r\n\r\n"] * REQUESTS)),
    "up-to-the-end": (another, answering(HEAD + b"\r\nok", then_close=True)),
}
each_exchange = pytest.mark.parametrize(("target", "origin_sends"), EXCHANGES.values(), ids=EXCHANGES)


def garbage() -> list[str]:
    """Free all garbage, and return the names of the types of ours in it."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        kinds = {type(each) for each in gc.garbage}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.collect()
    return [each.__qualname__ for each in kinds if each.__module__.startswith(("addon", "cache"))]


@each_exchange
def test_a_request_of_a_new_client_leaves_no_garbage(target: Callable[[int], str], origin_sends: Script) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        garbage()
        for number in range(REQUESTS):
            client = await front_end.client()
            await client.fetch(get(origin, target(number)))
            client.writer.close()
        await settle()  # connections may end after the last response
        assert garbage() == []

    run_conversation(conversation, origin_sends)


@each_exchange
def test_a_request_over_http2_leaves_no_garbage(target: Callable[[int], str], origin_sends: Script) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        garbage()
        for number in range(REQUESTS):
            await client.fetch(target(number))
        await settle()
        assert garbage() == []

    run_conversation(conversation, origin_sends)
