"""Kills flows in each of their hooks."""

from mitmproxy import http


def requestheaders(flow: http.HTTPFlow) -> None:
    if flow.request.path == "/page":
        flow.kill()


def responseheaders(flow: http.HTTPFlow) -> None:
    if flow.request.path == "/text":
        flow.kill()


def response(flow: http.HTTPFlow) -> None:
    if flow.request.path == "/other":
        flow.kill()


def error(flow: http.HTTPFlow) -> None:
    flow.comment = f"failed: {flow.error}"
