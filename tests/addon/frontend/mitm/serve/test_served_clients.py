"""Clients of mitmproxy's listener: how many connections they may have, and how long they may be silent."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock, create_autospec

import pytest
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Client
from mitmproxy.test import tflow

from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.mitm.serve import served_clients
from addon.frontend.mitm.serve.served_clients import ServedClients
from tests.fixtures.until import settle


class Connected:
    """Clients that are connected to a mitmproxy.

    Attributes:
        ended: The clients whose connections were ended.
    """

    def __init__(self, per_client: int = 0) -> None:
        self.ended: list[Client] = []
        self._proxyserver = Proxyserver()
        self.addon = ServedClients(self._proxyserver, ConnectionLimits(per_client, 10_000))

    def connect(self, client: Client) -> Client:
        writer = create_autospec(asyncio.StreamWriter, instance=True)
        writer.transport.get_extra_info = lambda name: (
            ("192.0.2.1", 1) if name == "peername" else SimpleNamespace(fileno=lambda: 9)
        )
        handler = SimpleNamespace(cancel=lambda _: self.ended.append(client))
        io = SimpleNamespace(writer=writer, handler=handler)
        self._proxyserver.connections[client.id] = cast("Any", Mock(transports={client: io}))
        self.addon.client_connected(client)
        return client


def client() -> Client:
    return tflow.tclient_conn()


def test_a_client_with_too_many_connections_is_refused() -> None:
    async def main() -> None:
        connected = Connected(per_client=1)
        first, second = connected.connect(client()), connected.connect(client())
        assert first.error is None
        assert second.error is not None
        connected.addon.client_disconnected(first)
        assert connected.connect(client()).error is None

    asyncio.run(main())


@pytest.mark.parametrize("speaks", [True, False])
def test_a_client_that_does_not_begin_to_speak_is_ended(speaks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        monkeypatch.setattr(served_clients, "HEAD_TIMEOUT", 0)
        connected = Connected()
        one = connected.connect(client())
        if speaks:
            connected.addon.end(one)
        await settle()
        assert connected.ended == ([] if speaks else [one])

    asyncio.run(main())
