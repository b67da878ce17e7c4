"""How many connections a client may have, and what whoever has one too many is told (yardstick A25)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from addon.frontend.connect.raw_tunnel import RawTunnel
from addon.frontend.connection_limits import ConnectionLimits, client_at
from addon.frontend.listener import RETRY_AFTER
from tests.addon.frontend.connect.test_tunnel import hello
from tests.addon.frontend.doorway import Client, Doorway, converse, get, origin_tls, request, trusting, until
from tests.fixtures.raw_origin import RawOrigin, endless

PLENTY = 2**20


class Accepted(asyncio.Transport):
    """A transport, and its socket, as far as who may come in asks them."""

    def __init__(self, address: str, descriptor: int = 10) -> None:
        super().__init__({"peername": (address, 50_000), "socket": self})
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor


def test_a_client_has_as_many_connections_as_it_may_and_takes_none_of_anothers() -> None:
    limits = ConnectionLimits(2, PLENTY)
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


def test_whoever_was_sent_away_or_is_gone_leaves_nothing_behind() -> None:
    limits = ConnectionLimits(1, PLENTY)
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
def test_connections_are_counted_by_address_and_in_ipv6_by_network(address: str, client: str | None) -> None:
    assert client_at(address) == client


@pytest.mark.parametrize(("per_client", "address"), [(0, "192.0.2.1"), (1, "127.0.0.1")])
def test_without_a_limit_and_on_this_machine_nobody_is_counted(per_client: int, address: str) -> None:
    limits = ConnectionLimits(per_client, PLENTY)
    assert not any(limits.admit(Accepted(address)) for _ in range(10))


@pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.1"])
def test_the_last_quarter_of_the_descriptors_is_not_for_clients(address: str) -> None:
    limits = ConnectionLimits(0, 1024)
    assert limits.admit(Accepted(address, 767)) is None
    assert limits.admit(Accepted(address, 768)) == "This proxy has as many connections open as it can."


# ---- at the door


@pytest.fixture
def from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take clients on this machine for one that is somewhere else."""
    monkeypatch.setattr("addon.frontend.connection_limits.client_at", lambda _: "192.0.2.1")


ONE = {"connections_per_client": 1}


async def sent_away(doorway: Doorway) -> str:
    """Return what a client is told that may not stay and has not said anything."""
    return (await (await doorway.client()).rest()).decode()


async def stays(doorway: Doorway, origin: RawOrigin) -> None:
    """Show that there is room for one more."""
    await until(lambda: not doorway.connections.limits._clients)
    assert (await (await doorway.client()).ask(get(origin))).body == b"ok"


@pytest.mark.usefixtures("from_elsewhere")
def test_one_too_many_is_told_at_once_and_nothing_of_it_is_kept() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        first = await doorway.client()
        assert (await first.ask(get(origin))).body == b"ok"
        heard = await sent_away(doorway)
        assert heard.startswith("HTTP/1.1 503 Service Unavailable\r\n")
        assert f"\r\nRetry-After: {RETRY_AFTER}\r\n" in heard
        assert "\r\nProxy-Status: secondhand; error=http_request_denied; details=" in heard
        assert "\r\nConnection: close\r\n" in heard
        assert heard.endswith(
            "\r\n\r\n192.0.2.1 has 1 connections to this proxy open, as many as one client may.\nreason: connections\n"
        )
        assert len(doorway.connections) == 1
        assert doorway.service.counters.snapshot()["refused.connections"] == 1
        assert (await first.ask(get(origin))).body == b"ok"
        first.leave()
        await stays(doorway, origin)

    converse(conversation, endless, endless, limits=ONE)


@pytest.mark.usefixtures("from_elsewhere")
def test_a_request_that_was_on_its_way_is_not_heard() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        await doorway.client()
        await until(lambda: bool(doorway.connections))
        second = await doorway.client()
        assert (await second.ask(get(origin))).status == 503
        assert not origin.requests

    converse(conversation, endless, limits=ONE)


async def intercepted(doorway: Doorway, origin: RawOrigin) -> Client:
    authority = f"127.0.0.1:{origin.port}"
    client = await doorway.tunnel(authority, trusting())
    assert (await client.ask(request("GET / HTTP/1.1", f"Host: {authority}"))).body == b"ok"
    return client


async def unopened(doorway: Doorway, origin: RawOrigin) -> Client:
    return await doorway.tunnel(f"127.0.0.1:{origin.port}")


async def closed_to_us(doorway: Doorway, origin: RawOrigin) -> Client:
    client = await doorway.tunnel(f"127.0.0.1:{origin.port}")
    client.send(b"\x00\x01\x02")
    await until(lambda: any(isinstance(each, RawTunnel) for each in doorway.connections))
    return client


@pytest.mark.usefixtures("from_elsewhere")
@pytest.mark.parametrize("tunnel", [intercepted, unopened, closed_to_us])
def test_a_tunnel_is_one_connection_until_it_ends(tunnel: Callable[[Doorway, RawOrigin], Awaitable[Client]]) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await tunnel(doorway, origin)
        assert "reason: connections" in await sent_away(doorway)
        client.leave()
        await until(lambda: not doorway.connections.limits._clients)
        await tunnel(doorway, origin)

    converse(conversation, endless, secure=origin_tls(), limits=ONE)


@pytest.mark.usefixtures("from_elsewhere")
def test_a_handshake_that_fails_is_the_end_of_a_connection_too() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.tunnel("a.example:443")
        client.send(hello() + b"nonsense" * 10)
        await client.rest()
        await until(lambda: not doorway.connections.limits._clients)

    converse(conversation, endless, limits=ONE)


@pytest.mark.usefixtures("from_elsewhere")
def test_descriptors_that_run_short_refuse_newcomers_and_serve_who_is_there() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        assert (await client.ask(get(origin))).body == b"ok"
        doorway.connections.limits._highest_descriptor = 0
        assert "as many connections open as it can" in await sent_away(doorway)
        assert (await client.ask(get(origin))).body == b"ok"

    converse(conversation, endless)
