"""The protocol that an origin is asked over: ALPN decides for https, and gRPC over HTTP/2 needs HTTP/2 for http."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from addon.origin import OriginClient, OriginOptions
from addon.origin.http2 import frames
from cache.http.messages import Fields, Request
from tests.fixtures.http2_origin import Http2Peer, answering_all, ask, converse, http2, http2_context
from tests.fixtures.origin_client import fetch_whole, run_conversation
from tests.fixtures.raw_origin import OK, Peer, RawOrigin, endless
from tests.fixtures.throwaway_ca import ThrowawayCA

BOTH = ("h2", "http/1.1")


@pytest.mark.parametrize(
    ("protocols", "version"),
    [(BOTH, "HTTP/2.0"), (("h2",), "HTTP/2.0"), (("http/1.1",), "HTTP/1.1"), (("http/1.1", "h2"), "HTTP/1.1")],
)
def test_an_https_origin_chooses_by_alpn(
    ca: ThrowawayCA, each_loop: None, protocols: tuple[str, ...], version: str
) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        for _ in range(2):
            response = await client.fetch(ask(origin))
            assert (response.head.version, response.whole) == (version, b"ok")
        assert origin.connections == 1

    script = http2(answering_all) if version == "HTTP/2.0" else endless
    converse(ca, conversation, script, protocols=protocols)


def test_an_https_origin_without_alpn_is_asked_over_http1(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        assert (await client.fetch(ask(origin))).head.version == "HTTP/1.1"

    options = OriginOptions(proxy="none", ca_files=(str(ca.file),))
    run_conversation(conversation, endless, tls=ca.server_context("localhost"), options=options)


def test_http2_can_be_switched_off(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        assert (await client.fetch(ask(origin))).head.version == "HTTP/1.1"

    converse(ca, conversation, endless, protocols=BOTH, http2=False)


def test_a_tunnel_of_an_upstream_proxy_carries_http2(ca: ThrowawayCA, each_loop: None) -> None:
    async def conversation(client: OriginClient, proxy: RawOrigin) -> None:
        async with RawOrigin(http2(answering_all), tls=http2_context(ca, "h2")) as origin:
            ports.append(origin.port)
            through = OriginClient(OriginOptions(proxy=f"http://127.0.0.1:{proxy.port}", ca_files=(str(ca.file),)))
            answers = [await fetch_whole(through, ask(origin)) for _ in range(2)]
            await through.close()
        assert (answers, proxy.connections) == ([b"ok", b"ok"], 1)

    ports: list[int] = []

    async def tunnel(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        await peer.join(ports[0])

    run_conversation(conversation, tunnel)


def test_the_first_requests_to_an_http1_origin_do_not_wait_for_each_other(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        answers = await asyncio.gather(*[fetch_whole(client, ask(origin)) for _ in range(3)])
        assert answers == [b"ok"] * 3

    together = asyncio.Barrier(3)

    async def script(peer: Peer) -> None:
        await peer.request()
        await together.wait()  # each has its own connection
        await peer.send(OK)
        await peer.client_closed()

    converse(ca, conversation, script, protocols=("http/1.1",))


def test_of_the_connections_to_an_unknown_origin_one_is_kept_if_it_speaks_http2(ca: ThrowawayCA) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        await asyncio.gather(*[fetch_whole(client, ask(origin)) for _ in range(5)])
        opened = origin.connections
        await asyncio.gather(*[fetch_whole(client, ask(origin)) for _ in range(20)])
        assert origin.connections == opened

    converse(ca, conversation, http2(answering_all))


def test_http1_can_be_demanded_of_an_origin_that_speaks_both(ca: ThrowawayCA) -> None:
    """For protocols that begin with an upgrade of HTTP/1.1, like WebSocket."""

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        assert (await client.fetch(ask(origin))).head.version == "HTTP/2.0"
        connection = await client.pool(ask(origin)).acquire_http1(single_use=True)
        assert connection.transport.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
        connection.abort()
        await connection.closed
        assert (await client.fetch(ask(origin))).head.version == "HTTP/2.0"
        assert origin.connections == 2

    converse(ca, conversation, http2(answering_all), endless, protocols=BOTH)


# ---- http origins

GRPC = (("Content-Type", "application/grpc+proto"), ("TE", "trailers"))


def call(origin: RawOrigin, *lines: tuple[str, str]) -> Request:
    return Request("POST", "http", "127.0.0.1", origin.port, "/", Fields(lines), version="HTTP/2.0")


def test_a_grpc_call_to_an_http_origin_uses_http2() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        response = await client.fetch(call(origin, *GRPC))
        assert (response.head.version, response.whole) == ("HTTP/2.0", b"ok")

    async def script(origin: Http2Peer) -> None:
        request = await origin.request()
        assert request.fields[":scheme"] == "http"
        await origin.answer(request.number)

    run_conversation(conversation, http2(script))


@pytest.mark.parametrize(
    "lines",
    [GRPC[:1], GRPC[1:], (("Content-Type", "application/grpc-web"), GRPC[1])],
    ids=["without TE", "another type", "gRPC-Web"],
)
def test_any_other_request_to_an_http_origin_uses_http1(lines: tuple[tuple[str, str], ...]) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        assert (await client.fetch(call(origin, *lines))).head.version == "HTTP/1.1"

    run_conversation(conversation, endless)


def test_a_client_of_http1_cannot_make_a_grpc_call() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        request = replace(call(origin, *GRPC), version="HTTP/1.1")
        assert (await client.fetch(request)).head.version == "HTTP/1.1"
        assert b"Connection: TE\r\n" in origin.requests[0]  # RFC 9110 §10.1.4
        assert not origin.requests[0].startswith(frames.PREFACE[:4])

    run_conversation(conversation, endless)
