"""The addresses that clients may reach through mitmproxy, which would resolve every name once more by itself."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from mitmproxy import connection
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from addon.origin import OriginClient, OriginFailure
from addon.origin.options import OriginOptions
from addon.origin.resolver import Resolver
from addon.runtime.clock import elapsed_seconds


class ReachableAddresses:
    """Resolves the names of origins, and refuses those at which a target is that clients may not reach."""

    def __init__(self, options: OriginOptions, clock: Callable[[], float]) -> None:
        """Use the resolver, and the rules for targets, that our own client has by the same options."""
        self._client: OriginClient | None = None
        self._has_rules, self._admin_port = options.reach is not None, options.admin_port
        if options.reach or options.admin_port:
            self._client = OriginClient(options, clock, Resolver(options.resolve_timeout, clock=elapsed_seconds))

    async def of(self, host: str, port: int) -> str | None:
        """Return the address to connect to; None if there are no rules. Raises OriginFailure for a refused target."""
        if self._client is None or not (self._has_rules or port == self._admin_port):
            return None
        return await self._client.reachable_address(host, port)

    async def close(self) -> None:
        """Stop resolving."""
        if self._client:
            await self._client.close()


class PinnedAddresses:
    """An addon by which mitmproxy connects to the address that was checked, and nowhere else."""

    def __init__(self, addresses: Callable[[], ReachableAddresses]) -> None:
        """Ask the addresses that `addresses` returns."""
        self._addresses = addresses
        self._named: WeakKeyDictionary[connection.Server, tuple[str, int]] = WeakKeyDictionary()

    async def server_connect(self, data: ServerConnectionHookData) -> None:
        """Name the address, or the reason why it is refused. An upstream proxy resolves the names that it is asked."""
        server = data.server
        if server.error or server.via or not server.address:
            return
        host, port = server.address[:2]
        try:
            address = await self._addresses().of(host, port)
        except OriginFailure as failure:
            server.error = failure.detail
            return
        if address is not None:
            self._named[server] = server.address
            server.address = (address, port)

    def server_connected(self, data: ServerConnectionHookData) -> None:
        """Give the connection its name back, by which mitmproxy uses it again."""
        if address := self._named.pop(data.server, None):
            data.server.address = address

    def server_connect_error(self, data: ServerConnectionHookData) -> None:
        """Give the connection that failed its name back."""
        self.server_connected(data)
