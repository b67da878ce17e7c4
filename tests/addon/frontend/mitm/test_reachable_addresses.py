"""mitmproxy's own connections to origins: they lead nowhere that clients may not reach."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest
from mitmproxy.connection import Server
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.test import tflow

from addon.config.load import configure
from addon.frontend.mitm.mitmproxy_origin import MitmproxyOrigin
from addon.frontend.mitm.reachable_addresses import PinnedAddresses
from addon.frontend.mitm.way_out import way_of_flow
from addon.origin import FailureKind, OriginFailure
from addon.origin.resolver import Resolver
from cache.http.messages import Request

NAMES = {"inside.test": ("127.0.0.1",), "outside.test": ("198.51.100.7", "198.51.100.8")}

type Converse = Callable[[str, Callable[[MitmproxyOrigin], Awaitable[None]]], None]


@pytest.fixture
def converse(default_settings: None, monkeypatch: pytest.MonkeyPatch, no_system_trust: None) -> Converse:
    """Return a function that runs a conversation with the origins of a proxy that listens on an address."""

    async def addresses(_: Resolver, host: str) -> tuple[str, ...]:
        if host not in NAMES:
            raise OriginFailure(FailureKind.DNS_ERROR, f"The name {host} could not be resolved")
        return NAMES[host]

    def run(listen: str, conversation: Callable[[MitmproxyOrigin], Awaitable[None]]) -> None:
        async def main() -> None:
            origin = MitmproxyOrigin(configure(None).settings.origin_options(), lambda: 0.0)
            await conversation(origin)
            await origin.close()

        monkeypatch.setenv("SECONDHAND_LISTEN", listen)
        asyncio.run(main())

    monkeypatch.setattr(Resolver, "addresses", addresses)
    return run


async def connect(origin: MitmproxyOrigin, host: str) -> tuple[tuple[str, int] | None, str | None]:
    """Return the address to which mitmproxy would connect for a host, and the error that stops it."""
    pinned = PinnedAddresses(lambda: origin.addresses)
    data = ServerConnectionHookData(Server(address=(host, 443)), tflow.tflow().client_conn)
    await pinned.server_connect(data)
    address = data.server.address
    if not data.server.error:
        pinned.server_connected(data)
    assert data.server.address == (host, 443)
    return address, data.server.error


@pytest.mark.row("SEC-15")
def test_a_name_is_connected_to_the_address_that_was_checked(converse: Converse) -> None:
    async def conversation(origin: MitmproxyOrigin) -> None:
        assert await connect(origin, "outside.test") == (("198.51.100.7", 443), None)
        _, error = await connect(origin, "inside.test")
        assert error == "inside.test resolves to 127.0.0.1, which is a refused target of this proxy"
        _, error = await connect(origin, "nosuch.test")
        assert error == "The name nosuch.test could not be resolved"

    converse("0.0.0.0:8080", conversation)


@pytest.mark.row("SEC-15")
def test_a_request_to_a_refused_address_is_not_sent(converse: Converse) -> None:
    async def conversation(origin: MitmproxyOrigin) -> None:
        flow = tflow.tflow()
        flow.request.host, flow.request.port = "inside.test", 80
        way = way_of_flow(flow, Request("POST", "http", "inside.test", 80, "/"))
        with pytest.raises(OriginFailure, match=re.escape("a refused target of this proxy")) as failure:
            await origin.refuse_unreachable(way)
        assert failure.value.kind is FailureKind.DESTINATION_IP_PROHIBITED

    converse("0.0.0.0:8080", conversation)


def test_a_proxy_that_only_its_machine_can_reach_leaves_names_to_mitmproxy(converse: Converse) -> None:
    async def conversation(origin: MitmproxyOrigin) -> None:
        assert await connect(origin, "inside.test") == (("inside.test", 443), None)

    converse("127.0.0.1:8080", conversation)
