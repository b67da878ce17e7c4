"""Attacks on the cache: the requests that an origin gets, and the responses that are stored."""

from __future__ import annotations

import asyncio

import pytest

from tests.addon.frontend.front_end import (
    FRESH,
    FrontEndUnderTest,
    authority_of,
    echo_path,
    get,
    reads_content,
    request_head,
    run_conversation,
)
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin, answering, endless
from tests.fixtures.until import settle, until

# ---- malformed responses: docs/decisions.md, "A response head that can be read in two ways is a 502"


@pytest.mark.parametrize(
    "line",
    [
        b"X: a\rb",
        b"X: a\r\r",
        b"X: a\nY: b",
        b"X: a\x00b",
        b"X: a\r\n b",
        b"X: a\r\n\tb",
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
def test_an_ambiguous_response_head_is_a_502_and_not_stored(line: bytes) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(get(origin, "/a"))
        assert response.status == 502
        assert not front_end.entries()

    ambiguous = FRESH.replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n")
    run_conversation(conversation, answering(ambiguous, then_close=True))


def test_endless_response_fields_are_a_502() -> None:
    async def endless_head(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD)
        while True:
            await peer.send(b"X: %b\r\n" % (b"a" * 1000))

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        assert (await (await front_end.client()).fetch(get(origin, "/a"))).status == 502

    run_conversation(conversation, endless_head)


def test_bytes_behind_a_response_answer_no_request() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        assert (await client.fetch(get(origin, "/a"))).body == b"ok"
        assert (await client.fetch(get(origin, "/b"))).body == b"/b"

    run_conversation(conversation, answering(FRESH + FRESH.replace(b"ok", b"no")), echo_path)


# ---- connection fields: docs/decisions.md, "Fields of one connection go no further"


@pytest.mark.parametrize(
    ("lines", "forwarded"),
    [
        (("Connection: X-Own", "X-Own: a"), ()),
        (("Connection: close, X-A, X-B", "X-A: a", "X-B: b"), ()),
        (("Keep-Alive: timeout=5",), ()),
        (("Proxy-Connection: keep-alive",), ()),
        (("Proxy-Authorization: Basic YTpi",), ()),
        (("TE: trailers, deflate",), ("Connection: TE", "TE: trailers")),  # this proxy passes trailers on
        (("Connection: TE", "TE: gzip"), ()),
        (("Upgrade: h2c",), ()),
        (("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"), ()),
        (("Connection: Cookie", "Cookie: a=b"), ("Cookie: a=b",)),
        (("Connection: Authorization", "Authorization: Basic YTpi"), ("Authorization: Basic YTpi",)),
        (("Connection: Host",), ()),
        (("X-Own: a",), ("X-Own: a",)),
    ],
)
def test_fields_of_the_clients_connection_are_not_forwarded(lines: tuple[str, ...], forwarded: tuple[str, ...]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a", *lines))
        await until(lambda: bool(origin.requests))
        received = origin.requests[0].decode().removesuffix("\r\n\r\n").split("\r\n")[1:]
        assert tuple(line for line in received if line.partition(":")[0] not in ("Host", "Via")) == forwarded
        assert received[0] == f"Host: {authority_of(origin)}"

    run_conversation(conversation, endless)


def test_connection_cannot_remove_content_length() -> None:
    """CVE-2022-45059: without its length, the origin takes the content for the next request."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        lines = "Connection: Content-Length", "Content-Length: 5"
        assert (await client.fetch(get(origin, "/a", *lines, method="POST", body=b"hello"))).body == b"ok"
        assert origin.requests[0].count(b"Content-Length: 5\r\n") == 1

    run_conversation(conversation, reads_content(b"hello"))


# ---- cache deception: docs/decisions.md, "Two spellings of a URL are two stored responses"


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
def test_another_target_has_its_own_stored_response(other: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for path in (f"/fresh{other}", "/fresh/a"):
            for status in (200, 203):
                response = await client.fetch(get(origin, path))
                assert (response.status, response.body) == (status, path.encode())

    run_conversation(conversation, echo_path)


@pytest.mark.parametrize("path", ["/me/x.css", "/me;x.js", "/me%2fx.png", "/me%00.css", "/me/..%2fx.css"])
def test_a_page_without_explicit_freshness_is_not_shared_even_if_its_name_ends_like_a_file(path: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        for line, body in (("Cookie: a=victim", b"1"), ("Authorization: Bearer a", b"2"), ("X: attacker", b"3")):
            client = await front_end.client()
            response = await client.fetch(get(origin, path, line))
            assert (response.status, response.body) == (200, body)
        assert len(origin.requests) == 3

    page = (
        HEAD + b"Content-Type: text/html\r\nLast-Modified: Mon, 23 Nov 2020 12:00:00 GMT\r\nContent-Length: 1\r\n\r\n"
    )
    run_conversation(conversation, answering(page + b"1", page + b"2", page + b"3"))


# ---- cache poisoning: docs/decisions.md, "An error that an odd request provoked is not stored"


@pytest.mark.parametrize("status", [400, 403, 405, 408, 413, 414, 417, 421, 429, 431, 500, 501, 502, 503])
def test_an_error_that_an_odd_request_provoked_is_not_sent_to_other_clients(status: int) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        attacker, victim = await front_end.client(), await front_end.client()
        assert (await attacker.fetch(get(origin, "/a", "X-Oversized: " + "a" * 9000))).status == status
        assert (await victim.fetch(get(origin, "/a"))).status == 200

    error = b"HTTP/1.1 %d Error\r\nContent-Length: 2\r\n\r\nno" % status
    run_conversation(conversation, answering(error, FRESH), answering(FRESH))


# ---- loops: docs/decisions.md, "A request that leads back to the proxy is refused at once"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST", "localhost.", "127.0.0.2", "127.1", "2130706433", "0x7f000001",
             "0.0.0.0", "[::ffff:127.0.0.1]", "0", "127.0.0.1."]
)  # fmt: skip
@pytest.mark.parametrize("connect", [True, False])
def test_a_request_for_the_proxy_itself_is_refused_without_a_loop(host: str, connect: bool) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        authority = f"{host}:{front_end.address[1]}"
        client = await front_end.client()
        if connect:
            client.send(request_head(f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"))
            await asyncio.wait([asyncio.ensure_future(client.head())], timeout=2)
        else:
            response = await client.fetch(request_head(f"GET http://{authority}/ HTTP/1.1", f"Host: {authority}"))
            assert response.status in (400, 502)
        await settle()
        assert len(front_end.connections) <= 4

    run_conversation(conversation, endless)


def test_a_request_with_this_process_in_its_via_is_refused() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        via = f"Via: 1.1 secondhand-{front_end.service.policy.identity.instance}"
        for method, lines in (("GET", ()), ("HEAD", ()), ("POST", ("Content-Length: 0",)), ("get", ())):
            client = await front_end.client()
            assert (await client.fetch(get(origin, "/a", via, *lines, method=method))).status == 502
        assert not origin.requests

    run_conversation(conversation, endless)
