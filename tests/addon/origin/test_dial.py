"""Connecting to origins: names, addresses, timeouts."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from ipaddress import ip_network
from pathlib import Path

import pytest

from addon.origin import FailureKind, OriginClient, OriginFailure, OriginOptions
from addon.origin.connect_failures import failure_of
from addon.origin.dial import Dialler, first_connected
from addon.origin.name_servers import NameServers
from addon.origin.proxy import Route
from addon.origin.resolver import Resolver
from cache.http.messages import Fields, Request
from cache.policy.operator_rules import TargetRules, Targets
from tests.fixtures.dns_server import DnsServer
from tests.fixtures.free_port import free_port
from tests.fixtures.origin_client import fetch_whole, get, run_conversation, whole
from tests.fixtures.raw_origin import LONGER_TIMEOUT, OK, SHORT_TIMEOUT, RawOrigin, answering
from tests.lanes.manual_clock import ManualClock

pytestmark = pytest.mark.usefixtures("each_loop")


def options(**given: object) -> OriginOptions:
    return OriginOptions(proxy="none", **given)  # type: ignore[arg-type]  # only options of this type are passed


@pytest.mark.parametrize("eager", [False, True])
def test_a_refused_connection_is_disconnected(eager: bool) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        origin.port = free_port()
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(get(origin))
        failure = caught.value
        assert (failure.kind, failure.disconnected) == (FailureKind.CONNECTION_REFUSED, True)
        assert failure.detail == f"127.0.0.1:{origin.port} refused the connection"

    run_conversation(conversation, answering(OK), eager=eager)


@pytest.mark.parametrize("host", ["a..b", "x" * 70])
def test_a_name_that_cannot_be_resolved_is_disconnected(host: str) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(Request("GET", "http", host, 80, "/"))
        assert (caught.value.kind, caught.value.disconnected) == (FailureKind.DNS_ERROR, True)

    run_conversation(conversation, answering(OK))


def _full_listener() -> tuple[socket.socket, list[socket.socket]]:
    """Return a listener with a full queue, so that further connections hang, and the sockets that fill it."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    queued = []
    for _ in range(4):
        client_socket = socket.socket()
        client_socket.setblocking(False)
        client_socket.connect_ex(listener.getsockname())
        queued.append(client_socket)
    return listener, queued


def test_connecting_has_a_timeout() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        listener, queued = _full_listener()
        try:
            with pytest.raises(OriginFailure) as caught:
                await client.fetch(Request("GET", "http", "127.0.0.1", listener.getsockname()[1], "/"))
        finally:
            for sock in (listener, *queued):
                sock.close()
        assert (caught.value.kind, caught.value.disconnected) == (FailureKind.CONNECTION_TIMEOUT, True)

    run_conversation(conversation, answering(OK), options=options(connect_timeout=SHORT_TIMEOUT))


def test_opening_a_tunnel_has_the_same_timeout() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        listener, queued = _full_listener()
        port = listener.getsockname()[1]
        try:
            with pytest.raises(OriginFailure) as caught:
                await client.connect("127.0.0.1", port, asyncio.Protocol())
        finally:
            for sock in (listener, *queued):
                sock.close()
        assert (caught.value.kind, caught.value.disconnected) == (FailureKind.CONNECTION_TIMEOUT, True)
        assert caught.value.detail == f"127.0.0.1:{port} could not be reached within {SHORT_TIMEOUT:g} seconds"

    run_conversation(conversation, answering(OK), options=options(connect_timeout=SHORT_TIMEOUT))


def test_the_time_to_resolve_a_name_does_not_count_as_time_to_connect() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        async with DnsServer({"a.test A": ["127.0.0.1"], "slow.test": None}) as name_server:
            resolver = Resolver(LONGER_TIMEOUT, name_servers=NameServers(servers=[name_server.address]))
            named = OriginClient(options(connect_timeout=LONGER_TIMEOUT / 2), resolver=resolver)
            response = await named.fetch(Request("GET", "http", "a.test", origin.port, "/"))
            assert await whole(response) == b"ok"
            with pytest.raises(OriginFailure) as caught:
                await named.fetch(Request("GET", "http", "slow.test", origin.port, "/"))
            await named.close()
        assert (caught.value.kind, caught.value.disconnected) == (FailureKind.DNS_TIMEOUT, True)
        assert caught.value.detail.endswith(f"did not answer within {LONGER_TIMEOUT:g} seconds")

    run_conversation(conversation, answering(OK))


def test_a_host_that_has_moved_is_looked_up_again_after_a_failed_connection() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        async with DnsServer({"a.test A": ["127.0.0.2"]}) as name_server:
            resolver = Resolver(60, name_servers=NameServers(servers=[name_server.address]))
            named = OriginClient(options(), resolver=resolver)
            request = Request("GET", "http", "a.test", origin.port, "/")
            with pytest.raises(OriginFailure, match="refused the connection"):
                await named.fetch(request)
            name_server.zone = {"a.test A": ["127.0.0.1"]}
            assert await fetch_whole(named, request) == b"ok"
            await named.close()

    run_conversation(conversation, answering(OK))


@pytest.mark.row("SEC-15")
def test_a_name_that_is_bound_to_a_refused_address_later_is_refused() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        async with DnsServer({"a.test A": ["127.0.0.1"]}) as name_server:
            rules = TargetRules(Targets((ip_network("127.0.0.2/32"),)))
            clock = ManualClock()
            servers = NameServers(servers=[name_server.address])
            named = OriginClient(options(reach=rules), resolver=Resolver(60, name_servers=servers, clock=clock.now))
            request = Request("GET", "http", "a.test", origin.port, "/", Fields((("Connection", "close"),)))
            assert await fetch_whole(named, request) == b"ok"
            name_server.zone = {"a.test A": ["127.0.0.2"]}
            clock.advance(301)
            with pytest.raises(OriginFailure) as caught:
                await named.fetch(request)
            assert caught.value.kind is FailureKind.DESTINATION_IP_PROHIBITED
            await named.close()

    run_conversation(conversation, answering(OK, then_close=True))


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("first", ["full", "refusing"])
def test_the_next_address_is_tried_when_the_first_does_not_accept(first: str, eager: bool) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> int:
        listener, queued = _full_listener()
        port = listener.getsockname()[1] if first == "full" else free_port()
        try:
            addresses = [(socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET, ("127.0.0.1", origin.port))]
            with await first_connected(addresses) as winner:
                return int(winner.getpeername()[1]) - origin.port
        finally:
            for sock in (listener, *queued):
                sock.close()

    assert run_conversation(conversation, answering(OK), eager=eager) == 0


def test_the_first_error_is_raised_when_no_address_accepts() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        addresses = [(socket.AF_INET, ("127.0.0.1", free_port())), (socket.AF_INET, ("not an address", 1))]
        with pytest.raises(ConnectionRefusedError):
            await first_connected(addresses)

    run_conversation(conversation, answering(OK))


@pytest.mark.parametrize(
    ("error", "kind", "disconnected"),
    [
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "destination_ip_unroutable", True),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "destination_ip_unroutable", True),
        (OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"), "destination_unavailable", True),
        (UnicodeError("label too long"), "dns_error", True),
        (ConnectionResetError(), "connection_terminated", True),
        (ssl.SSLEOFError(), "connection_terminated", True),
    ],
    ids=repr,
)
def test_each_connection_error_has_its_failure_kind(error: OSError, kind: str, disconnected: bool) -> None:
    failure = failure_of(error, Route("http", "origin.test", 80))
    assert (failure.kind, failure.disconnected) == (kind, disconnected)
    assert "origin.test:80" in failure.detail


def test_an_unreadable_ca_file_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"ca_files: {tmp_path}/none\.pem: expected a readable file of PEM"):
        Dialler(options(ca_files=(f"{tmp_path}/none.pem",)), Resolver(1))
