"""Answers requests as soon as their heads are there, and replaces heads of responses."""

from mitmproxy import http


def requestheaders(flow: http.HTTPFlow) -> None:
    if flow.request.path in ("/text", "/form"):
        flow.response = http.Response.make(202, b"from the head", {"Cache-Control": "max-age=600"})


def responseheaders(flow: http.HTTPFlow) -> None:
    if flow.response and flow.request.path == "/other":
        flow.response.status_code = 201
        flow.response.headers["X-Head"] = "changed"
