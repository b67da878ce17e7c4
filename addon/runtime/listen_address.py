"""The address of a running proxy's listener, and the control command that reports it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from addon.config.addresses import UNSPECIFIED_ADDRESSES
from cache.http.messages import host_port


@dataclass(slots=True)
class ListenAddress:
    """The listener of a running proxy. Host and port are set when it listens."""

    is_edge: bool
    host: str = ""
    port: int = 0
    """0 before it listens, and always 0 as an addon of another mitmproxy, which has its own listener."""

    def set(self, host: str, port: int) -> None:
        """Take the address once the proxy listens."""
        self.host, self.port = host, port

    async def handle(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        """Handle the control command `address`: return the URL for clients on this machine. Raises ValueError."""
        if self.is_edge:
            raise ValueError("the running proxy is an edge: programs cannot use it as their proxy")
        if not self.port:
            raise ValueError("the running proxy has no listener of its own")
        return {"url": proxy_url(self.host, self.port)}


def proxy_url(host: str, port: int, scheme: str = "http") -> str:
    """Return the URL by which programs on this machine reach what listens at `host` and `port`."""
    if host in UNSPECIFIED_ADDRESSES:
        host = "::1" if ":" in host else "127.0.0.1"
    return f"{scheme}://{host_port(host, port)}"
