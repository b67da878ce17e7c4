"""Sends each flow to the upstream proxy on the port that the environment names, as mitmproxy's own example does."""

import os

from mitmproxy import http
from mitmproxy.connection import Server
from mitmproxy.net.server_spec import ServerSpec


def request(flow: http.HTTPFlow) -> None:
    upstream: ServerSpec = ("http", ("127.0.0.1", int(os.environ["UPSTREAM_PORT"])))
    is_open = flow.server_conn.timestamp_start is not None
    if is_open and flow.server_conn.via != upstream:
        flow.server_conn = Server(address=flow.server_conn.address)
    flow.server_conn.via = upstream
