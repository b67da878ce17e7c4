"""A whole connection of HTTP/2: any frames lead to frames that can be read, and none follows the end of its stream."""

from __future__ import annotations

from functools import cache

from hpack import Decoder

from addon.frontend.http1.request_target import ForwardProxyTargets
from addon.frontend.http2.connection import Http2Connection
from addon.origin.http2 import frames
from addon.origin.http2.frame_reader import FrameReader
from tools.fuzz.front_end import FrontEnd
from tools.fuzz.pieces import splits
from tools.fuzz.targets.http2_frames import TOKENS as FRAME_TOKENS

TOKENS = [*FRAME_TOKENS, frames.settings_frame({})]


@cache
def front_end() -> FrontEnd:
    return FrontEnd()


def check(data: bytes) -> None:
    """Send the preface and bytes to a connection, whole and in halves."""
    for pieces in ([frames.PREFACE + data], [frames.PREFACE, *list(splits(data))[-1]]):
        written = front_end().converse(lambda: Http2Connection(front_end().http2, ForwardProxyTargets()), pieces)
        _check_frames(written)


def _check_frames(written: bytes) -> None:
    reader, decoder = FrameReader(2**20, 100), Decoder(2**20)
    reader.feed(written)
    kinds = []
    ended: set[int] = set()
    while (frame := reader.next()) is not None:
        kinds.append(frame.kind)
        if frame.kind == frames.HEADERS:
            assert frame.stream not in ended
            names = [bytes(name) for name, _ in decoder.decode(frame.payload, raw=True)]
            assert names[0] == b":status"
        elif frame.kind == frames.DATA:
            assert frame.stream not in ended
        if frame.kind in (frames.HEADERS, frames.DATA) and frame.flags & frames.END_STREAM:
            ended.add(frame.stream)
    assert not reader.waiting
    assert kinds[0] == frames.SETTINGS
    assert kinds.count(frames.GOAWAY) <= 2
