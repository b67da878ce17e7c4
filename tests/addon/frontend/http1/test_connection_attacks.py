"""Attacks through the door (yardstick A4 to A8, A11, A18): what an origin sees, and what is stored of its answer."""

from __future__ import annotations

import asyncio

import pytest

from tests.addon.frontend.front_end import FrontEndUnderTest, echo_path, get, request_head, run_conversation, until
from tests.fixtures.raw_origin import HEAD, OK, Peer, RawOrigin, answering, endless

FRESH = HEAD + b"Cache-Control: max-age=600\r\nContent-Length: 2\r\n\r\nok"


# ---- A8: what origins must not say


@pytest.mark.parametrize(
    "line",
    [
        b"X: a\rb",
        b"X: a\r\r",
        b"X: a\nY: b",
        b"X: a\x00b",
        b"X: a\r\n b",
        b"X: a\r\n\tb",
        b"X : a",
        b" X: a",
        b"X\x00: a",
        b"X(: a",
        b": a",
        b"X",
        b"Content-Length: 2\r\nContent-Length: 3",
        b"Content-Length: +2",
        b"Content-Length: 2, 3",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding:\x0bchunked",
    ],
)
def test_a_response_head_that_could_be_read_in_two_ways_is_a_502_and_never_stored(line: bytes) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(get(origin, "/a"))
        assert response.status == 502
        assert not front_end.entries()

    run_conversation(conversation, answering(FRESH.replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n"), then_close=True))


def test_endless_response_fields_are_a_502() -> None:
    async def floods(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD)
        while True:
            await peer.send(b"X: %b\r\n" % (b"a" * 1000))

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        assert (await (await front_end.client()).fetch(get(origin, "/a"))).status == 502

    run_conversation(conversation, floods)


def test_octets_behind_a_response_answer_nothing() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        assert (await client.fetch(get(origin, "/a"))).body == b"ok"
        assert (await client.fetch(get(origin, "/b"))).body == b"/b"

    run_conversation(conversation, answering(FRESH + FRESH.replace(b"ok", b"no")), echo_path)


# ---- A11: what ends at this hop


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        (("Connection: X-Own", "X-Own: a"), ()),
        (("Connection: close, X-A, X-B", "X-A: a", "X-B: b"), ()),
        (("Keep-Alive: timeout=5",), ()),
        (("Proxy-Connection: keep-alive",), ()),
        (("Proxy-Authorization: Basic YTpi",), ()),
        (("TE: trailers, deflate",), ()),
        (("Connection: TE", "TE: gzip"), ()),
        (("Upgrade: h2c",), ()),
        (("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"), ()),
        (("Connection: Cookie", "Cookie: a=b"), ("Cookie: a=b",)),
        (("Connection: Authorization", "Authorization: Basic YTpi"), ("Authorization: Basic YTpi",)),
        (("Connection: Host",), ()),
        (("X-Own: a",), ("X-Own: a",)),
    ],
)
def test_fields_of_this_hop_go_no_further(lines: tuple[str, ...], kept: tuple[str, ...]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a", *lines))
        await until(lambda: bool(origin.requests) or bool(front_end.handed_over))
        seen = origin.requests[0].decode().removesuffix("\r\n\r\n").split("\r\n")[1:]
        ours = [line for line in seen if line.partition(":")[0] not in ("Host", "Via")]
        assert tuple(ours) == kept
        assert seen[0] == f"Host: 127.0.0.1:{origin.port}"

    run_conversation(conversation, endless)


def test_content_length_is_never_nominated_away() -> None:
    """CVE-2022-45059: without its length, content is the next request."""

    async def reads(peer: Peer) -> None:
        await peer.request()
        await peer.request(b"hello")
        await peer.send(OK)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        asked = get(origin, "/a", "Connection: Content-Length", "Content-Length: 5", method="POST", body=b"hello")
        assert (await client.fetch(asked)).body == b"ok"
        assert origin.requests[0].count(b"Content-Length: 5\r\n") == 1

    run_conversation(conversation, reads)


# ---- A4, A5, A6: what is asked is what is stored


@pytest.mark.parametrize(
    "other",
    [
        "/a;b",
        "/a?",
        "/a?b",
        "/a%00",
        "/a%2f",
        "/a/",
        "//a",
        "/a/..%2fb",
        "/a.css",
        "/a?utm_source=b",
        "/a?b;c",
        "/A",
        '/a"',
    ],
)
def test_another_target_is_another_copy(other: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for path in (f"/fresh{other}", "/fresh/a"):
            for status in (200, 203):
                response = await client.fetch(get(origin, path))
                assert (response.status, response.body) == (status, path.encode())

    run_conversation(conversation, echo_path)


@pytest.mark.parametrize("path", ["/me/x.css", "/me;x.js", "/me%2fx.png", "/me%00.css", "/me/..%2fx.css"])
def test_a_page_without_explicit_freshness_is_never_anothers_whatever_its_name(path: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        for cookie, body in (("Cookie: a=victim", b"1"), ("Authorization: Bearer a", b"2"), ("X: attacker", b"3")):
            client = await front_end.client()
            response = await client.fetch(get(origin, path, cookie))
            assert (response.status, response.body) == (200, body)
        assert len(origin.requests) == 3

    page = (
        HEAD + b"Content-Type: text/html\r\nLast-Modified: Mon, 23 Nov 2020 12:00:00 GMT\r\nContent-Length: 1\r\n\r\n"
    )
    run_conversation(conversation, answering(page + b"1", page + b"2", page + b"3"))


# ---- A7: an attacker's error is nobody else's


@pytest.mark.parametrize("status", [400, 403, 405, 408, 413, 414, 417, 421, 429, 431, 500, 501, 502, 503])
def test_an_error_that_an_odd_request_causes_is_not_served_to_others(status: int) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        attacker, victim = await front_end.client(), await front_end.client()
        assert (await attacker.fetch(get(origin, "/a", "X-Oversized: " + "a" * 9000))).status == status
        assert (await victim.fetch(get(origin, "/a"))).status == 200

    error = b"HTTP/1.1 %d Error\r\nContent-Length: 2\r\n\r\nno" % status
    run_conversation(conversation, answering(error, FRESH), answering(FRESH))


# ---- A18: loops


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST", "localhost.", "127.0.0.2", "127.1", "2130706433", "0x7f000001",
             "0.0.0.0", "[::ffff:127.0.0.1]", "0", "127.0.0.1."]
)  # fmt: skip
@pytest.mark.parametrize("connect", [True, False])
def test_a_request_for_the_proxy_itself_ends_at_once(host: str, connect: bool) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        place = f"{host}:{front_end.address[1]}"
        client = await front_end.client()
        if connect:
            client.send(request_head(f"CONNECT {place} HTTP/1.1", f"Host: {place}"))
            await asyncio.wait([asyncio.ensure_future(client.head())], timeout=2)
        else:
            assert (await client.fetch(request_head(f"GET http://{place}/ HTTP/1.1", f"Host: {place}"))).status in (
                400,
                502,
            )
        await asyncio.sleep(0.01)
        assert len(front_end.connections) <= 4

    run_conversation(conversation, endless)


def test_a_request_that_has_been_here_ends_at_once_whatever_it_is() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        via = f"Via: 1.1 secondhand-{front_end.service.policy.identity.instance}"
        for method, lines in (("GET", ()), ("HEAD", ()), ("POST", ("Content-Length: 0",)), ("get", ())):
            client = await front_end.client()
            assert (await client.fetch(get(origin, "/a", via, *lines, method=method))).status == 502
        assert not origin.requests

    run_conversation(conversation, endless)
