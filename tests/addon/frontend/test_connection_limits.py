"""The limit of connections per client, and the response to a connection beyond it.

See docs/decisions.md, "One client may have a thousand connections".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from addon.frontend.connect.raw_tunnel import RawTunnel
from addon.frontend.connection_limits import ConnectionLimits, client_at
from addon.frontend.listener import RETRY_AFTER
from tests.addon.frontend.front_end import (
    Client,
    FrontEndUnderTest,
    authority_of,
    client_hello,
    client_tls,
    get,
    get_in_tunnel,
    origin_tls,
    run_conversation,
)
from tests.fixtures.raw_origin import RawOrigin, endless
from tests.fixtures.until import until

MANY = 2**20


class Accepted(asyncio.Transport):
    """An accepted connection: the parts of a transport and its socket that ConnectionLimits uses."""

    def __init__(self, address: str, descriptor: int = 10) -> None:
        super().__init__({"peername": (address, 50_000), "socket": self})
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor


def test_each_client_may_have_the_permitted_number_of_connections() -> None:
    limits = ConnectionLimits(2, MANY)
    first, second = Accepted("192.0.2.1"), Accepted("192.0.2.1")
    assert limits.admit(first) is None
    assert limits.admit(second) is None
    assert limits.admit(Accepted("192.0.2.1")) == (
        "192.0.2.1 has 2 connections to this proxy open, as many as one client may."
    )
    assert limits.admit(Accepted("192.0.2.2")) is None
    limits.release(first)
    assert limits.admit(Accepted("192.0.2.1")) is None
    assert limits.admit(Accepted("192.0.2.1"))


def test_refused_and_closed_connections_are_no_longer_counted() -> None:
    limits = ConnectionLimits(1, MANY)
    first, refused = Accepted("192.0.2.1"), Accepted("192.0.2.1")
    limits.admit(first)
    limits.admit(refused)
    for _ in range(2):
        limits.release(refused)
        limits.release(first)
    assert not limits._clients
    assert not limits._connections


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1::2", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:ffff::3", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("-", None),
    ],
)
def test_ipv4_clients_are_counted_by_address_and_ipv6_clients_by_network(address: str, client: str | None) -> None:
    assert client_at(address) == client


@pytest.mark.parametrize(("per_client", "address"), [(0, "192.0.2.1"), (1, "127.0.0.1")])
def test_connections_without_a_limit_or_from_this_machine_are_not_counted(per_client: int, address: str) -> None:
    limits = ConnectionLimits(per_client, MANY)
    assert not any(limits.admit(Accepted(address)) for _ in range(10))


@pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.1"])
def test_the_last_quarter_of_the_file_descriptors_is_not_for_clients(address: str) -> None:
    limits = ConnectionLimits(0, 1024)
    assert limits.admit(Accepted(address, 767)) is None
    assert limits.admit(Accepted(address, 768)) == "This proxy has as many connections open as it can."


# ---- at the front end


ONE_PER_CLIENT = {"connections_per_client": 1}


async def refusal(front_end: FrontEndUnderTest) -> str:
    """Return the response that a new connection above the limit gets before it has sent anything."""
    return (await (await front_end.client()).rest()).decode()


@pytest.mark.usefixtures("from_elsewhere")
def test_a_connection_above_the_limit_gets_503_at_once_and_is_not_kept() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        first = await front_end.client()
        assert (await first.fetch(get(origin))).body == b"ok"
        response = await refusal(front_end)
        assert response.startswith("HTTP/1.1 503 Service Unavailable\r\n")
        assert f"\r\nRetry-After: {RETRY_AFTER}\r\n" in response
        assert "\r\nProxy-Status: secondhand; error=http_request_denied; details=" in response
        assert "\r\nConnection: close\r\n" in response
        assert response.endswith(
            "\r\n\r\n192.0.2.1 has 1 connections to this proxy open, as many as one client may.\nreason: connections\n"
        )
        assert len(front_end.connections) == 1
        assert front_end.service.counters.snapshot()["refused.connections"] == 1
        assert (await first.fetch(get(origin))).body == b"ok"
        first.disconnect()
        await until(lambda: not front_end.connections.limits._clients)
        assert (await (await front_end.client()).fetch(get(origin))).body == b"ok"

    run_conversation(conversation, endless, endless, limits=ONE_PER_CLIENT)


@pytest.mark.usefixtures("from_elsewhere")
def test_a_request_on_a_refused_connection_is_not_forwarded() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        await front_end.client()
        await until(lambda: bool(front_end.connections))
        second = await front_end.client()
        assert (await second.fetch(get(origin))).status == 503
        assert not origin.requests

    run_conversation(conversation, endless, limits=ONE_PER_CLIENT)


async def intercepted(front_end: FrontEndUnderTest, origin: RawOrigin) -> Client:
    client = await front_end.tunnel(authority_of(origin), client_tls())
    assert (await client.fetch(get_in_tunnel(origin))).body == b"ok"
    return client


async def unused(front_end: FrontEndUnderTest, origin: RawOrigin) -> Client:
    return await front_end.tunnel(authority_of(origin))


async def raw(front_end: FrontEndUnderTest, origin: RawOrigin) -> Client:
    client = await front_end.tunnel(authority_of(origin))
    client.send(b"\x00\x01\x02")
    await until(lambda: any(isinstance(each, RawTunnel) for each in front_end.connections))
    return client


@pytest.mark.usefixtures("from_elsewhere")
@pytest.mark.parametrize("tunnel", [intercepted, unused, raw])
def test_a_tunnel_is_one_connection_until_it_ends(
    tunnel: Callable[[FrontEndUnderTest, RawOrigin], Awaitable[Client]],
) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await tunnel(front_end, origin)
        assert "reason: connections" in await refusal(front_end)
        client.disconnect()
        await until(lambda: not front_end.connections.limits._clients)
        await tunnel(front_end, origin)

    run_conversation(conversation, endless, secure=origin_tls(), limits=ONE_PER_CLIENT)


@pytest.mark.usefixtures("from_elsewhere")
def test_a_connection_whose_handshake_fails_is_no_longer_counted() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel("a.example:443")
        client.send(client_hello() + b"nonsense" * 10)
        await client.rest()
        await until(lambda: not front_end.connections.limits._clients)

    run_conversation(conversation, endless, limits=ONE_PER_CLIENT)


@pytest.mark.usefixtures("from_elsewhere")
def test_without_free_file_descriptors_only_new_connections_are_refused() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        assert (await client.fetch(get(origin))).body == b"ok"
        front_end.connections.limits._highest_descriptor = 0
        assert "as many connections open as it can" in await refusal(front_end)
        assert (await client.fetch(get(origin))).body == b"ok"

    run_conversation(conversation, endless)
