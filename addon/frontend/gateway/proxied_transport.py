"""The transport of a connection that a proxy has passed on by the PROXY protocol: its peer is the proxy's client."""

from __future__ import annotations

import asyncio
from typing import Any


class ProxiedTransport:
    """A transport that names another peer, and is otherwise the one it is made of.

    The methods are those of that transport, so that nothing is slower.
    """

    def __init__(self, transport: asyncio.Transport, peer: tuple[str, int]) -> None:
        self._transport = transport
        self._peer = peer
        self.write = transport.write
        self.writelines = transport.writelines
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        """Return what else the transport has."""
        return getattr(self._transport, name)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return the client for `peername`, and for other names what the transport returns."""
        return self._peer if name == "peername" else self._transport.get_extra_info(name, default)
