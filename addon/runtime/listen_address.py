"""Where clients reach a running proxy: it is told once it listens, and tells whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from addon.config.addresses import ANYWHERE


@dataclass(slots=True)
class ListenAddress:
    """The listener of a running proxy."""

    is_edge: bool
    host: str = ""
    port: int = 0
    """0 before it listens, and inside somebody else's mitmproxy, which has a listener of its own."""

    def set(self, host: str, port: int) -> None:
        """Take the address once the proxy listens."""
        self.host, self.port = host, port

    async def handle(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        """Answer the control command `address`: the URL for clients of this machine. Raises ValueError."""
        if self.is_edge:
            raise ValueError("it is an edge: programs cannot use it as their proxy")
        if not self.port:
            raise ValueError("it has no listener of its own")
        return {"url": proxy_url(self.host, self.port)}


def proxy_url(host: str, port: int) -> str:
    """Return the URL under which programs of this machine reach a proxy that listens there."""
    if host in ANYWHERE:
        host = "::1" if ":" in host else "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
