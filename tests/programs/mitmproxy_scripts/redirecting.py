"""Sends requests for one host to another, and connections for a name to an address."""

from mitmproxy import http
from mitmproxy.proxy.server_hooks import ServerConnectionHookData


def request(flow: http.HTTPFlow) -> None:
    if flow.request.path == "/other":
        flow.request.host = "127.0.0.1"


def server_connect(data: ServerConnectionHookData) -> None:
    if data.server.address and data.server.address[0] == "localhost":
        data.server.address = ("127.0.0.1", data.server.address[1])
