"""Connections that begin with a header of the PROXY protocol: the client in it counts, in place of the peer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from addon.frontend.connections import HEAD_TIMEOUT
from addon.frontend.gateway.proxy_reader import ProxyReader
from tests.addon.frontend.front_end import FRESH, FrontEndUnderTest, get, run_at_edge, run_conversation
from tests.fixtures.raw_origin import RawOrigin, answering
from tests.fixtures.until import until

HEADER = b"PROXY TCP4 203.0.113.7 192.0.2.1 50000 443\r\n"
EXPECTED = {"trusted_proxies": ["127.0.0.1"], "proxy_protocol": True}
REQUEST = b"GET / HTTP/1.1\r\nHost: a.example\r\n%b\r\n"


@pytest.mark.row("EDGE-05")
def test_the_client_in_the_header_is_named_to_the_origin_and_logged(tmp_path: Path) -> None:
    log = tmp_path / "access.log"

    async def conversation(edge: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await edge.client()
        response = await client.fetch(HEADER + REQUEST % b"X-Forwarded-For: 1.2.3.4\r\n")
        assert response.status == 200
        assert b"\r\nX-Forwarded-For: 203.0.113.7\r\n" in origin.requests[0]
        assert [(await client.fetch(REQUEST % b"")).status for _ in range(2)] == [203, 203]

    run_at_edge(conversation, answering(FRESH), **EXPECTED, log={"access": str(log)})
    assert [line.partition(" ")[0] for line in log.read_text().splitlines()] == ["203.0.113.7"] * 3


def test_a_header_may_come_byte_by_byte() -> None:
    async def conversation(edge: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await edge.client()
        for byte in HEADER:
            client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert (await client.fetch(REQUEST % b"")).status == 200
        assert b"\r\nX-Real-IP: 203.0.113.7\r\n" in origin.requests[0]

    run_at_edge(conversation, answering(FRESH), **EXPECTED)


def test_http2_may_follow() -> None:
    async def conversation(edge: FrontEndUnderTest, _: RawOrigin) -> None:
        client = await edge.client()
        client.send(HEADER + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5))
        assert (await client.read(4))[3] == 4  # the server's settings

    run_at_edge(conversation, answering(FRESH), **EXPECTED)


def test_a_connection_without_a_header_is_closed_and_counted() -> None:
    async def conversation(edge: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await edge.client()
        client.send(REQUEST % b"")
        assert await client.rest() == b""
        assert edge.service.counters.snapshot()["disconnected.proxy-protocol"] == 1
        assert not origin.requests

    run_at_edge(conversation, answering(FRESH), **EXPECTED)


def test_a_peer_that_is_not_trusted_is_refused() -> None:
    async def conversation(edge: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await edge.client()
        client.send(HEADER + REQUEST % b"")
        assert await client.rest() == b""
        assert edge.service.counters.snapshot()["disconnected.not-trusted"] == 1
        assert not origin.requests

    run_at_edge(conversation, answering(FRESH), **{**EXPECTED, "trusted_proxies": ["192.0.2.1"]})


def test_a_header_that_does_not_come_is_not_waited_for_longer_than_a_request_head() -> None:
    async def conversation(edge: FrontEndUnderTest, _: RawOrigin) -> None:
        client = await edge.client()
        client.send(HEADER[:9])
        await until(lambda: any(isinstance(each, ProxyReader) for each in edge.connections))
        edge.advance_deadlines(HEAD_TIMEOUT + 1)
        assert await client.rest() == b""

    run_at_edge(conversation, answering(FRESH), **EXPECTED)


def test_a_connection_whose_header_is_on_its_way_is_answered_although_the_listener_closes() -> None:
    async def conversation(edge: FrontEndUnderTest, _: RawOrigin) -> None:
        client, silent = await edge.client(), await edge.client()
        client.send(HEADER[:9])
        await until(lambda: len(edge.connections) == 2)
        draining = asyncio.ensure_future(edge.listener.drain())
        assert await silent.rest() == b""
        assert (await client.fetch(HEADER[9:] + REQUEST % b"")).status == 200
        assert await client.rest() == b""
        await draining

    run_at_edge(conversation, answering(FRESH), **EXPECTED)


def test_the_limit_of_connections_is_for_the_client_in_the_header() -> None:
    async def conversation(edge: FrontEndUnderTest, _: RawOrigin) -> None:
        clients = [await edge.client() for _ in range(3)]
        headers = [HEADER, HEADER, HEADER.replace(b"113.7", b"113.8")]
        connections = zip(clients, headers, strict=True)
        statuses = [(await client.fetch(header + REQUEST % b"")).status for client, header in connections]
        assert statuses == [200, 503, 203]

    run_at_edge(conversation, answering(FRESH), **EXPECTED, limits={"connections_per_client": 1})


def test_a_forward_proxy_has_it_too() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        assert (await client.fetch(HEADER + get(origin))).status == 200
        assert b"203.0.113.7" not in origin.requests[0]

    run_conversation(conversation, answering(FRESH), **EXPECTED)
