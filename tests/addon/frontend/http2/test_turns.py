"""The line of connections: one of them goes on in each round of the event loop."""

from __future__ import annotations

import asyncio

import pytest

from addon.frontend.http2.turns import Turns
from addon.origin.http2 import frames
from addon.origin.http2.faults import ErrorCode
from addon.origin.http2.hpack_decoder import HpackDecoder
from tests.addon.frontend.front_end import FrontEndUnderTest, echo_path, run_conversation
from tests.addon.frontend.http2.http2_client import http2_client
from tests.fixtures.raw_origin import RawOrigin, endless

LONG_HUFFMAN_BLOCK = b"\x00\x01a\xff\x81\xf3\x03" + b"\x00" * 64_000
"""A field whose value is 64,000 bytes of the Huffman code."""


class Taker:
    """Goes on a number of times."""

    def __init__(self, turns: Turns, name: str, times: int, log: list[str]) -> None:
        self.turns, self.name, self.times, self.log = turns, name, times, log

    def take_turn_in_line(self) -> None:
        self.log.append(self.name)
        self.times -= 1
        if self.times:
            self.turns.wait(self)


def test_connections_take_turns_and_others_are_served_in_between() -> None:
    async def main() -> list[str]:
        turns, log = Turns(), list[str]()
        for name in "abc":
            turns.wait(Taker(turns, name, 2, log))
        for _ in range(7):
            await asyncio.sleep(0)
            log.append("-")
        return log

    assert "".join(asyncio.run(main())).strip("-") == "a-b-c-a-b-c"


def test_a_connection_that_is_lost_leaves_the_line() -> None:
    async def main() -> list[str]:
        turns, log = Turns(), list[str]()
        lost, other = Taker(turns, "lost", 1, log), Taker(turns, "other", 1, log)
        turns.wait(lost)
        turns.wait(other)
        turns.leave(lost)
        assert lost not in turns
        for _ in range(3):
            await asyncio.sleep(0)
        return log

    assert asyncio.run(main()) == ["other"]


def test_long_header_blocks_of_several_connections_are_not_decoded_in_one_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rounds, decoded_in, decode = 0, list[int](), HpackDecoder.decode

    def noted(self: HpackDecoder, block: bytes) -> list[tuple[bytes, bytes]]:
        decoded_in.append(rounds)
        return decode(self, block)

    async def count_rounds() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        monkeypatch.setattr(HpackDecoder, "decode", noted)
        counting = asyncio.get_running_loop().create_task(count_rounds())
        hostile = [await http2_client(front_end, origin) for _ in range(3)]
        for client in hostile:
            first, *rest = [LONG_HUFFMAN_BLOCK[start : start + 16_000] for start in range(0, 64_001, 16_000)]
            sent = frames.frame(frames.HEADERS, frames.END_STREAM, 1, first)
            for part in rest:
                sent += frames.frame(frames.CONTINUATION, frames.END_HEADERS if part is rest[-1] else 0, 1, part)
            client.client.send(sent)
        for client in hostile:
            await client.until_closed()
            assert client.streams[1].status == 431
            assert client.goaway is not None
            assert client.goaway[0] == ErrorCode.ENHANCE_YOUR_CALM
        counting.cancel()
        assert len(decoded_in) == len(set(decoded_in)) == len(hostile)
        assert not origin.requests

    run_conversation(conversation, endless)


def test_a_request_with_a_long_head_is_answered_in_its_place() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        long = client.ask("/long", ("x", "y" * 10_000))
        short = client.ask("/short")
        assert (await client.response(long)).content == b"/long"
        assert (await client.response(short)).content == b"/short"

    run_conversation(conversation, echo_path)
