"""Interim responses before the final one, and trailers behind its content."""

from __future__ import annotations

import asyncio

import pytest

from addon.origin import FailureKind, OriginClient, OriginFailure, OriginOptions
from cache.http.messages import Fields, Response
from tests.fixtures.origin_client import get, run_conversation, whole
from tests.fixtures.raw_origin import CHUNKED, HEAD, LONG_FIELD_LINE, OK, Peer, RawOrigin, answering

pytestmark = pytest.mark.usefixtures("each_loop")

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


def fetched(data: bytes) -> tuple[list[Response], bytes]:
    """Return the interim responses that the caller of `fetch` gets, and the body of the final response."""

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[list[Response], bytes]:
        interim: list[Response] = []
        response = await client.fetch(get(origin), interim=interim.append)
        return interim, await whole(response)

    return run_conversation(conversation, answering(data))


def test_interim_responses_are_forwarded_in_order() -> None:
    interim, body = fetched(CONTINUE + HINTS + HINTS + OK)
    hints = Response(103, "Early Hints", Fields((("Link", "</a>"),)))
    assert (interim, body) == ([Response(100, "Continue"), hints, hints], b"ok")


def test_an_interim_response_is_forwarded_before_the_final_one_arrives() -> None:
    hinted = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.request()
        await peer.send(HINTS)
        await hinted.wait()
        await peer.send(OK)

    async def conversation(client: OriginClient, origin: RawOrigin) -> bytes:
        return await whole(await client.fetch(get(origin), interim=lambda _: hinted.set()))

    assert run_conversation(conversation, slow) == b"ok"


def test_the_final_response_has_no_fields_of_an_interim_one() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> Fields:
        return (await client.fetch(get(origin))).head.fields

    assert run_conversation(conversation, answering(HINTS + OK)).lines == (("Content-Length", "2"),)


def test_too_many_interim_responses_are_refused() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        await client.fetch(get(origin))

    with pytest.raises(OriginFailure) as caught:
        run_conversation(conversation, answering(CONTINUE * 4 + OK), options=OriginOptions(proxy="none", max_interim=3))
    assert caught.value.kind is FailureKind.HTTP_PROTOCOL_ERROR
    assert caught.value.detail.endswith("sent more than 3 interim responses")


def test_trailers_are_kept_apart_from_the_head() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[Fields, Fields]:
        response = await client.fetch(get(origin))
        await whole(response)
        return response.head.fields, response.trailers

    data = CHUNKED + b"3\r\nabc\r\n0\r\nDigest: x\r\nServer-Timing: a\r\n\r\n"
    fields, trailers = run_conversation(conversation, answering(data))
    assert fields.lines == (("Transfer-Encoding", "chunked"),)
    assert trailers.lines == (("Digest", "x"), ("Server-Timing", "a"))


def test_trailers_are_empty_before_the_end() -> None:
    ended = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED + b"3\r\nabc\r\n0\r\nA: b\r\n")
        await ended.wait()
        await peer.send(b"\r\n")

    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[Fields, Fields]:
        response = await client.fetch(get(origin))
        assert response.whole is None
        before = response.trailers
        ended.set()
        await whole(response)
        return before, response.trailers

    assert run_conversation(conversation, slow) == (Fields(), Fields((("A", "b"),)))


@pytest.mark.parametrize("trailers", [b"A: b\r\n" * 201, LONG_FIELD_LINE * 70], ids=["201 fields", "64 KiB"])
def test_a_trailer_section_above_the_limits_of_a_head_is_dropped(trailers: bytes) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[bytes, Fields]:
        response = await client.fetch(get(origin))
        return await whole(response), response.trailers

    data = CHUNKED + b"3\r\nabc\r\n0\r\n" + trailers + b"\r\n"
    assert run_conversation(conversation, answering(data)) == (b"abc", Fields())


@pytest.mark.parametrize(
    ("data", "body"),
    [(OK, b"ok"), (HEAD + b"Content-Length: 0\r\n\r\n", b""), (CHUNKED + b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", b"abc")],
    ids=["length", "empty", "chunks"],
)
def test_a_response_that_arrives_in_one_piece_is_complete_at_once(data: bytes, body: bytes) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> tuple[bytes | None, bytes]:
        response = await client.fetch(get(origin))
        return response.whole, await whole(response)

    assert run_conversation(conversation, answering(data)) == (body, body)
