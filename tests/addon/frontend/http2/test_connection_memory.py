"""The memory that one client of HTTP/2 can make the proxy hold, by what it sends."""

from __future__ import annotations

import asyncio

import pytest

from addon.frontend.connections import LINGER
from addon.frontend.http2.connection import MAX_INPUT
from addon.origin.http2 import frames
from tests.addon.frontend.front_end import FrontEndUnderTest, run_conversation, silent
from tests.addon.frontend.http2.http2_client import http2_client, pass_time
from tests.addon.frontend.http2.test_connection_deadlines import only
from tests.fixtures.raw_origin import RawOrigin
from tests.fixtures.until import until

LARGEST_READ = 262_144
"""Bytes that the event loop reads from a socket at a time, at most."""


# ---- what a client sends


def test_input_that_waits_for_its_turn_is_limited() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        connection, most = only(front_end), 0
        client.client.send(frames.window_frame(0, 1) * 100_000)
        client.send_frame(frames.PING, 0, 0, bytes(8))
        answered = asyncio.ensure_future(client.read_frame())
        while not answered.done():
            most = max(most, connection._reader.waiting)
            await asyncio.sleep(0)
        assert 0 < most <= MAX_INPUT + LARGEST_READ

    run_conversation(conversation, silent, http2={"control_frames": 200_000})


@pytest.mark.parametrize("ends", ["by the client", "by a fault"])
def test_nothing_is_kept_of_what_a_client_has_sent_once_its_connection_has_ended(ends: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        connection = only(front_end)
        if ends == "by a fault":
            client.send_frame(frames.DATA, 0, 0, b"x")
        client.client.send(frames.frame(frames.HEADERS, 0, 1, bytes(10_000))[:-1])
        if ends == "by the client":
            await until(lambda: connection._reader.waiting > 0)
            client.client.disconnect()
        else:
            await client.until_closed()
            assert connection._reader.waiting == 0
            pass_time(front_end, LINGER + 1)
        await until(lambda: not front_end.connections)
        assert connection._reader.waiting == 0

    run_conversation(conversation, silent)
