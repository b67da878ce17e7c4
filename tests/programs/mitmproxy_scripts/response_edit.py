"""Edits responses: a field, the content of pages and of large content."""

from mitmproxy import http


def response(flow: http.HTTPFlow) -> None:
    assert flow.response
    flow.response.headers["X-Script"] = "was here"
    if flow.response.text and "hello" in flow.response.text:
        flow.response.text = flow.response.text.replace("hello", "good morning")
