"""Answers some requests itself, and kills others."""

from mitmproxy import http


def request(flow: http.HTTPFlow) -> None:
    if flow.request.path == "/text":
        flow.response = http.Response.make(200, b"from a script", {"Cache-Control": "max-age=600"})
    if flow.request.path == "/missing":
        flow.kill()
