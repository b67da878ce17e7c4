"""Edits requests: another path, and a field."""

from mitmproxy import http


def request(flow: http.HTTPFlow) -> None:
    flow.request.headers["X-Script"] = "was here"
    if flow.request.path == "/text":
        flow.request.path = "/other?edited=yes"
