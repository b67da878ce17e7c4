"""An origin that is every host: a proxy that answers itself, whatever it is asked to reach."""

from __future__ import annotations

from typing import override

from tests.fixtures.throwaway_ca import Authority
from tests.fixtures.web_origin import Exchange, Origin, Page


class EveryName(Origin):
    """An origin whose pages are named by whole URLs: some programs never ask a proxy for what is on localhost.

    Attributes:
        proxy: The URL of the proxy that leads there.
        tls: What tunnels are opened with.
    """

    def __init__(self, authority: Authority, *names: str) -> None:
        """Speak for these hosts over HTTPS, and for all over HTTP."""
        super().__init__(exchange=_Tunnelled)
        self.proxy = f"http://127.0.0.1:{self.port}"
        self.tls = authority.context(*names)

    @override
    def offer(self, target: str, page: Page) -> str:
        self.pages[target] = page
        return target


class _Tunnelled(Exchange):
    _scheme = "http"

    def do_CONNECT(self) -> None:  # noqa: N802 - http.server looks for this name
        self.begin(200, {})
        origin = self.server.origin
        assert isinstance(origin, EveryName)
        self.request = origin.tls.wrap_socket(self.request, server_side=True)
        origin.connections.append(self.request)
        self._scheme = "https"
        self.setup()  # from here on over TLS

    @override
    def finish(self) -> None:
        super().finish()
        self.request.close()  # the server knows only what it has accepted

    @property
    @override
    def target(self) -> str:
        return self.path if "://" in self.path else f"{self._scheme}://{self.headers['Host']}{self.path}"
