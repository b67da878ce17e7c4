"""mitmproxy's own connections to origins: they lead nowhere that clients may not reach."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from mitmproxy.connection import Server
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.test import taddons, tflow

from addon.config.load import configure
from addon.frontend.mitm.hooks import Hooks
from addon.origin import FailureKind, OriginFailure
from addon.origin.resolver import Resolver
from addon.service import Service

NAMES = {"inside.test": ("127.0.0.1",), "outside.test": ("198.51.100.7", "198.51.100.8")}

type Converse = Callable[[str, Callable[[Hooks], Awaitable[None]]], None]


@pytest.fixture
def converse(
    default_settings: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_system_trust: None
) -> Converse:
    """Return a function that runs a conversation with the hooks of a proxy that listens on an address."""

    async def addresses(_: Resolver, host: str) -> tuple[str, ...]:
        if host not in NAMES:
            raise OriginFailure(FailureKind.DNS_ERROR, f"The name {host} could not be resolved")
        return NAMES[host]

    def run(listen: str, conversation: Callable[[Hooks], Awaitable[None]]) -> None:
        async def main() -> None:
            service = Service(configure(None).settings)
            await service.start()

            async def ready() -> Service:
                return service

            hooks = Hooks(ready)
            with taddons.context(hooks):
                await hooks.running()
                await conversation(hooks)
                await hooks.done()
            await service.close()

        monkeypatch.setenv("SECONDHAND_LISTEN", listen)
        asyncio.run(main())

    monkeypatch.setenv("SECONDHAND_STORE__PATH", str(tmp_path / "store"))
    monkeypatch.setattr(Resolver, "addresses", addresses)
    return run


async def connect(hooks: Hooks, host: str) -> tuple[tuple[str, int] | None, str | None]:
    """Return the address to which mitmproxy would connect for a host, and the error that stops it."""
    flow = tflow.tflow()
    data = ServerConnectionHookData(Server(address=(host, 443)), flow.client_conn)
    await hooks.server_connect(data)
    address = data.server.address
    if not data.server.error:
        hooks.server_connected(data)
    assert data.server.address == (host, 443)
    return address, data.server.error


@pytest.mark.row("SEC-15")
def test_a_name_is_connected_to_the_address_that_was_checked(converse: Converse) -> None:
    async def conversation(hooks: Hooks) -> None:
        assert await connect(hooks, "outside.test") == (("198.51.100.7", 443), None)
        _, error = await connect(hooks, "inside.test")
        assert error == "inside.test resolves to 127.0.0.1, which is a refused target of this proxy"
        _, error = await connect(hooks, "nosuch.test")
        assert error == "The name nosuch.test could not be resolved"

    converse("0.0.0.0:8080", conversation)


@pytest.mark.row("SEC-15")
def test_a_carried_request_to_a_refused_address_gets_the_proxys_own_error(converse: Converse) -> None:
    async def conversation(hooks: Hooks) -> None:
        flow = tflow.tflow()
        flow.request.method, flow.request.host, flow.request.port = "POST", "inside.test", 80
        flow.request.headers["host"] = "inside.test"
        await hooks.requestheaders(flow)
        assert flow.response
        assert flow.response.status_code == 502
        assert "error=destination_ip_prohibited" in flow.response.headers["proxy-status"]
        assert "reason: target" in str(flow.response.text)

    converse("0.0.0.0:8080", conversation)


def test_a_proxy_that_only_its_machine_can_reach_leaves_names_to_mitmproxy(converse: Converse) -> None:
    async def conversation(hooks: Hooks) -> None:
        assert await connect(hooks, "inside.test") == (("inside.test", 443), None)

    converse("127.0.0.1:8080", conversation)
