"""Adds trailers to responses."""

from mitmproxy import http


def response(flow: http.HTTPFlow) -> None:
    assert flow.response
    flow.response.headers.pop("Content-Length", None)  # curl reads no further than that
    flow.response.trailers = http.Headers([(b"x-script-trailer", b"yes")])
