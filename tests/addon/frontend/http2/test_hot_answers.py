"""Hot responses over HTTP/2: their header block is what the engine would answer, at any time."""

from __future__ import annotations

from hpack import Decoder
from hypothesis import given
from hypothesis import strategies as st

from addon.frontend.http1.hot_response import HitCount, hot_response
from addon.frontend.http2.hot_answers import MAX_CONTENT, Http2HotResponse, hot_frames
from addon.origin.http2 import frames
from cache import engine
from cache.engine.decisions import Serve
from cache.http.fields import imf_date
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy, Presentation
from cache.rules.key import primary_key
from cache.rules.stored_response import StoredResponse
from cache.stores.base import Stamp

BEGINNING = 1_795_000_000.0
REQUEST = Request("GET", "http", "a.example", 80, "/a", version="HTTP/2.0")


def entry(*lines: tuple[str, str], length: int = 4) -> StoredResponse:
    fields = Fields((("Date", imf_date(BEGINNING)), ("Content-Length", str(length)), *lines))
    return StoredResponse(
        id="0" * 32,
        key=primary_key(REQUEST),
        method="GET",
        target=REQUEST.uri,
        head=Response(200, "OK", fields),
        request_time=BEGINNING,
        response_time=BEGINNING,
        stored_at=BEGINNING,
        vary=(),
        length=length,
    )


def decision(stored: StoredResponse, policy: CachePolicy, now: float) -> Serve:
    serve = engine.on_request(REQUEST, (stored,), policy, now)
    assert isinstance(serve, Serve)
    return serve


def hot(stored: StoredResponse, policy: CachePolicy, now: float, content: bytes = b"body") -> Http2HotResponse | None:
    serve = decision(stored, policy, now)
    stamp, hits = Stamp(0, 1, 1, (), 0, ""), HitCount("http", None, "a.example")
    return hot_response(Http2HotResponse, REQUEST, serve, content, policy=policy, now=now, stamp=stamp, hits=hits)


def decoded(block: bytes) -> list[tuple[str, str]]:
    return sorted((name.decode(), value.decode("latin-1")) for name, value in Decoder().decode(block, raw=True))


@given(
    st.integers(1, 10**6),
    st.booleans(),
    st.lists(st.floats(0, 1), min_size=1, max_size=5),
    st.sampled_from(["", "100% %d", "x" * 120]),
)
def test_the_block_is_that_of_the_engine_at_any_time(
    lifetime: int, cache_status: bool, moments: list[float], extra: str
) -> None:
    policy = CachePolicy(presentation=Presentation(cache_status=cache_status))
    lines = (("Cache-Control", f"max-age={lifetime}"), ("X-Extra", extra), ("Cache-Status", f'"{extra}"; hit'))
    stored = entry(*lines)
    response = hot(stored, policy, BEGINNING)
    assert response is not None
    for moment in sorted(moments):
        now = BEGINNING + moment * lifetime * 0.999
        if now < response.valid_until:
            head = decision(stored, policy, now).response.head
            expected = [(":status", str(head.status)), *((name.lower(), value) for name, value in head.fields)]
            assert decoded(response.block_at(now)) == sorted(expected)


def test_content_that_has_to_be_interleaved_is_not_hot() -> None:
    fresh, policy = ("Cache-Control", "max-age=60"), CachePolicy()
    assert hot(entry(fresh), policy, BEGINNING, bytes(MAX_CONTENT)) is not None
    assert hot(entry(fresh), policy, BEGINNING, bytes(MAX_CONTENT + 1)) is None


def test_a_head_that_does_not_fit_into_one_frame_is_not_hot() -> None:
    lines = ("Cache-Control", "max-age=60"), ("X-Long", "x" * frames.MAX_FRAME)
    assert hot(entry(*lines), CachePolicy(), BEGINNING) is None


def test_content_is_split_into_frames() -> None:
    data = b"".join(hot_frames(5, b"block", b"x" * 40_000))
    assert data == b"".join(
        [
            frames.frame(frames.HEADERS, frames.END_HEADERS, 5, b"block"),
            frames.frame(frames.DATA, 0, 5, b"x" * 16_384),
            frames.frame(frames.DATA, 0, 5, b"x" * 16_384),
            frames.frame(frames.DATA, frames.END_STREAM, 5, b"x" * (40_000 - 2 * 16_384)),
        ]
    )


def test_a_response_without_content_ends_with_its_head() -> None:
    expected = frames.frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, 5, b"block")
    assert b"".join(hot_frames(5, b"block", b"")) == expected
