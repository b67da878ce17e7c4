"""Responses that should be stored, and a store that cannot take them."""

from __future__ import annotations

import asyncio

import pytest

from addon.pipeline.store_condition import StoreState
from cache.stores.memory import MemoryStore
from tests.addon.frontend.front_end import FrontEndUnderTest, get, run_conversation
from tests.fixtures.raw_origin import SHORT_TIMEOUT, Peer, RawOrigin, Script

HEAD = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\n\r\n"


async def at_once(peer: Peer) -> None:
    await peer.request()
    await peer.send(HEAD + b"page")


async def in_pieces(peer: Peer) -> None:
    await peer.request()
    await peer.send(HEAD.replace(b"Content-Length: 4", b"Transfer-Encoding: chunked") + b"2\r\npa\r\n")
    await asyncio.sleep(SHORT_TIMEOUT)
    await peer.send(b"2\r\nge\r\n0\r\n\r\n")


@pytest.mark.parametrize("script", [at_once, in_pieces])
def test_a_response_does_not_say_stored_without_a_store(script: Script) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        store = front_end.service.active.own.store
        store.sync_store = MemoryStore(0)
        store.condition.change(StoreState.CLOSED, "the directory was removed")
        client = await front_end.client()
        response = await client.fetch(get(origin, "/"))
        assert (response.status, response.body) == (200, b"page")
        assert response.fields.get("cache-status") == "secondhand; fwd=uri-miss; detail=store-failed"

    run_conversation(conversation, script)


def test_a_response_whose_later_chunks_are_read_leniently_is_not_stored() -> None:
    async def bare_lf_at_the_end(peer: Peer) -> None:
        for _ in range(2):
            await peer.request()
            await peer.send(HEAD.replace(b"Content-Length: 4", b"Transfer-Encoding: chunked") + b"2\r\npa\r\n")
            await asyncio.sleep(SHORT_TIMEOUT)
            await peer.send(b"2\nge\n0\n\n")
            await peer.close()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        for _ in range(2):
            client = await front_end.client()
            response = await client.fetch(get(origin, "/"))
            assert (response.status, response.body) == (200, b"page")
        assert front_end.service.counters.snapshot()["not_stored.lenient-origin"] == 2

    run_conversation(conversation, bare_lf_at_the_end, bare_lf_at_the_end, origin={"lenient": ["*"]})
