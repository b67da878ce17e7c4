"""Malformed requests are answered with an error, and the connection ends.

See docs/decisions.md, "A request head that can be read in two ways is refused".
"""

from __future__ import annotations

import asyncio

import pytest

from tests.addon.frontend.front_end import FrontEndUnderTest, echo_path, get, run_conversation
from tests.fixtures.raw_origin import OK, RawOrigin, answering, endless
from tests.fixtures.until import until

GET = b"GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n"
POST = GET.replace(b"GET", b"POST")


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",  # as for an origin
        b"GET ftp://a.example/ HTTP/1.1\r\nHost: a\r\n\r\n",
        GET.replace(b"\r\n", b"\n") + b"\n",
        GET + b"X: a\x00b\r\n\r\n",
        GET + b"X: a\r\n b\r\n\r\n",
        GET.replace(b"HTTP/1.1", b"HTTP/1.7") + b"\r\n",
        POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # TLS outside a tunnel
        b"\x00" * 40,
        b"GET http://a.example/\r\n\r\n",  # without a version
        b"GET \r\n\r\n",
    ],
)
def test_a_malformed_request_gets_400_and_what_follows_it_is_dropped(data: bytes) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(data + get(origin, "/smuggled"))
        assert (response.status, response.fields.get("connection")) == (400, "close")
        assert await client.rest() == b""
        assert not origin.requests
        assert not front_end.entries()

    run_conversation(conversation, endless)


@pytest.mark.parametrize("first", ["/stored", "/fresh", "/miss"])
def test_a_malformed_head_behind_any_request_gets_400(first: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for path in ("/fresh", "/miss"):  # the next requests for them take the shortest ways
            assert (await client.fetch(get(origin, path))).status == 200
        client.send(get(origin, first) + b"GET http://a.example/\r\n\r\n")
        assert (await client.response()).status in (200, 203)
        assert (await client.response()).status == 400
        assert await client.rest() == b""

    run_conversation(conversation, echo_path)


def test_a_head_above_64_kib_gets_431() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(get(origin, "/", *["X: " + "a" * 10_000] * 7))
        assert response.status == 431
        assert not origin.requests

    run_conversation(conversation, endless)


def test_an_endless_head_gets_431_after_64_kib() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin)[:-2])
        lines = 0
        while not client.reader._buffer and lines < 200:  # type: ignore[attr-defined] # there is no public way to look
            client.send(b"X: %b\r\n" % (b"a" * 1000))
            lines += 1
            await asyncio.sleep(0)
        assert (await client.response()).status == 431
        assert lines < 200

    run_conversation(conversation, endless)


def test_methods_are_case_sensitive() -> None:
    """A `get` is not a GET (RFC 9110 §9.1): it is forwarded as it is, and its response is not stored."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        assert (await client.fetch(get(origin, "/a", method="get"))).body == b"ok"
        assert (await client.fetch(get(origin, "/a", method="get"))).body == b"ok"
        assert [head[:7] for head in origin.requests] == [b"get /a ", b"get /a "]
        await until(lambda: not front_end.entries())

    run_conversation(conversation, endless)


def test_empty_lines_before_a_request_are_skipped() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(b"\r\n" + get(origin))
        assert (await client.response()).body == b"ok"

    run_conversation(conversation, answering(OK, OK))


def test_many_empty_lines_are_skipped_at_once() -> None:
    """Regression: all bytes behind each empty line were copied, which took half a second for 256 KiB."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(b"\r\n" * 500_000 + get(origin))
        assert (await client.response()).body == b"ok"
        assert (await client.fetch(b"\r\n\n" + get(origin))).status == 400

    run_conversation(conversation, answering(OK, OK))
