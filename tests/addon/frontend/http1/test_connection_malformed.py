"""What clients get for heads that nobody should believe (yardstick A10, A26): an answer, and the end."""

from __future__ import annotations

import asyncio

import pytest

from tests.addon.frontend.front_end import FrontEndUnderTest, get, run_conversation, until
from tests.fixtures.raw_origin import OK, RawOrigin, answering, endless

GET = b"GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n"
POST = GET.replace(b"GET", b"POST")


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",  # not for a proxy
        b"GET ftp://a.example/ HTTP/1.1\r\nHost: a\r\n\r\n",
        GET.replace(b"\r\n", b"\n") + b"\n",
        GET + b"X: a\x00b\r\n\r\n",
        GET + b"X: a\r\n b\r\n\r\n",
        GET.replace(b"HTTP/1.1", b"HTTP/1.7") + b"\r\n",
        POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # TLS where none is
        b"\x00" * 40,
    ],
)
def test_a_malformed_request_gets_400_and_the_end_and_what_follows_is_not_heard(octets: bytes) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(octets + get(origin, "/smuggled"))
        assert (response.status, response.fields.get("connection")) == (400, "close")
        assert await client.rest() == b""
        assert not origin.requests
        assert not front_end.entries()

    run_conversation(conversation, endless)


def test_a_head_above_64_kib_gets_431() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(get(origin, "/", *["X: " + "a" * 10_000] * 7))
        assert response.status == 431
        assert not origin.requests

    run_conversation(conversation, endless)


def test_an_endless_head_gets_431_long_before_its_end() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin)[:-2])
        pieces = 0
        while not client.reader._buffer and pieces < 200:  # type: ignore[attr-defined] # to see it without waiting
            client.send(b"X: %b\r\n" % (b"a" * 1000))
            pieces += 1
            await asyncio.sleep(0)
        assert (await client.response()).status == 431
        assert pieces < 200

    run_conversation(conversation, endless)


def test_the_case_of_a_method_is_kept_and_get_in_small_letters_is_no_get() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        assert (await client.fetch(get(origin, "/a", method="get"))).body == b"ok"
        assert (await client.fetch(get(origin, "/a", method="get"))).body == b"ok"
        assert [head[:7] for head in origin.requests] == [b"get /a ", b"get /a "]
        await until(lambda: not front_end.entries())

    run_conversation(conversation, endless)


def test_empty_lines_before_a_request_are_read_past() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(b"\r\n" + get(origin))
        assert (await client.response()).body == b"ok"

    run_conversation(conversation, answering(OK, OK))


def test_a_flood_of_empty_lines_is_read_past_in_one_go() -> None:
    """Each one copied all those behind it: half a second of the event loop for 256 KiB."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(b"\r\n" * 500_000 + get(origin))
        assert (await client.response()).body == b"ok"
        assert (await client.fetch(b"\r\n\n" + get(origin))).status == 400

    run_conversation(conversation, answering(OK, OK))
