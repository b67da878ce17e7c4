"""Knows where a host is that no resolver knows."""

from mitmproxy.proxy.server_hooks import ServerConnectionHookData


def server_connect(data: ServerConnectionHookData) -> None:
    if data.server.address and data.server.address[0].endswith(".invalid"):
        data.server.address = ("127.0.0.1", data.server.address[1])
