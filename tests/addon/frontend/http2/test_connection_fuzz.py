"""Random frames: whatever a client sends, no exception escapes, and other clients get their responses."""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import suppress

import pytest

from addon.origin.http2 import frames
from tests.addon.frontend.front_end import FrontEndUnderTest, authority_of, echo_path, run_conversation
from tests.addon.frontend.http2.http2_client import Http2Client, http2_client
from tests.fixtures.raw_origin import RawOrigin

CONNECTIONS = 40
FRAMES = 60


def random_frame(client: Http2Client, chance: random.Random) -> bytes:
    """Return a frame that is often right: most faults end the connection at once."""
    stream = chance.choice([0, 1, 3, 5, 7, 9, chance.randrange(2**31)])
    flags = chance.choice([0, 1, 4, 5, 5, 5, 8, 0x20, 0xFF])
    match chance.randrange(10):
        case 0 | 1 | 2:
            lines = client.head(f"/{chance.randrange(5)}", method=chance.choice(["GET", "POST", "HEAD", "OPTIONS"]))
            return frames.header_frames(client.next_stream(), client.block(lines), end_stream=chance.random() < 0.6)
        case 3:
            return frames.frame(frames.DATA, chance.choice([0, 1]), stream, chance.randbytes(chance.randrange(50)))
        case 4:
            return frames.window_frame(stream, chance.choice([0, 1, 1000, 2**31 - 1]))
        case 5:
            values = {chance.randrange(8): chance.choice([0, 1, 100, 2**16, 2**31]) for _ in range(2)}
            return frames.settings_frame(values)
        case 6:
            return frames.frame(frames.RST_STREAM, 0, stream, chance.randbytes(4))
        case 7:
            return frames.frame(frames.PING, chance.choice([0, 1]), 0, chance.randbytes(8))
        case 8:
            block = chance.randbytes(chance.randrange(30))
            return frames.frame(chance.choice([frames.HEADERS, frames.CONTINUATION]), flags, stream, block)
        case _:
            return frames.frame(chance.randrange(12), flags, stream, chance.randbytes(chance.randrange(12)))


@pytest.mark.parametrize("seed", range(5))
def test_random_frames_harm_nobody(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    escaped: list[object] = []

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.append(context))
        chance = random.Random(seed)
        bystander = await http2_client(front_end, origin)
        for _ in range(CONNECTIONS):
            client = Http2Client(await front_end.client(), authority_of(origin), "http")
            client.greet()
            for _ in range(FRAMES):
                client.client.send(random_frame(client, chance))
                if chance.random() < 0.2:
                    await asyncio.sleep(0)
            assert (await bystander.fetch("/fresh")).content == b"/fresh"
            with suppress(EOFError, ConnectionError):
                await client.read_frame()
            client.client.disconnect()

    run_conversation(conversation, echo_path)
    assert not escaped
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
