"""An origin for all hosts: a forward proxy that responds to every request itself."""

from __future__ import annotations

from typing import override

from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.web_origin import Exchange, Origin, Page


class AllHostsOrigin(Origin):
    """An origin whose pages have whole URLs as keys.

    Tests need other hosts than localhost, because some programs never use a proxy for localhost.

    Attributes:
        proxy: The URL to configure as the proxy of a client.
        tls: The TLS context of the server side of tunnels.
    """

    def __init__(self, ca: ThrowawayCA, *hosts: str) -> None:
        """Listen as these hosts over HTTPS, and as every host over HTTP."""
        super().__init__(exchange=_ProxyExchange)
        self.proxy = f"http://127.0.0.1:{self.port}"
        self.tls = ca.server_context(*hosts)

    @override
    def offer(self, target: str, page: Page) -> str:
        self.pages[target] = page
        return target


class _ProxyExchange(Exchange):
    """An exchange in clear, or in a tunnel after CONNECT."""

    _scheme = "http"

    def do_CONNECT(self) -> None:  # noqa: N802 - http.server looks for this name
        self.begin(200, {})
        origin = self.server.origin
        assert isinstance(origin, AllHostsOrigin)
        self.request = origin.tls.wrap_socket(self.request, server_side=True)
        origin.connections.append(self.request)
        self._scheme = "https"
        self.setup()  # read and write over TLS from now on

    @override
    def finish(self) -> None:
        super().finish()
        self.request.close()  # the server closes only the socket that it accepted, which TLS has replaced

    @property
    @override
    def target(self) -> str:
        return self.path if "://" in self.path else f"{self._scheme}://{self.headers['Host']}{self.path}"
