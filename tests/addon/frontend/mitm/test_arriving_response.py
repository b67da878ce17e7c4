"""A response whose events mitmproxy reports."""

from __future__ import annotations

import asyncio

import pytest

from addon.frontend.mitm.arriving_response import PIECE, ArrivingResponse
from addon.origin import OriginFailure
from cache.http.messages import Response


def arriving() -> ArrivingResponse:
    response = ArrivingResponse("GET", lambda: 0.0)
    response.begin(Response(200, "OK"))
    return response


def test_large_content_comes_in_pieces() -> None:
    async def pieces() -> list[int]:
        response = arriving()
        response.feed(bytes(2 * PIECE + 1))
        response.end()
        return [len(piece) async for piece in response.body()]

    assert asyncio.run(pieces()) == [PIECE, PIECE, 1]


def test_an_abandoned_response_ends_its_reader() -> None:
    async def read() -> None:
        response = arriving()
        response.feed(b"page")
        response.abandon()
        async for _ in response.body():
            pass

    with pytest.raises(OriginFailure):
        asyncio.run(read())
