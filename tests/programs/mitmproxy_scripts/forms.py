"""Edits the forms, the queries and the cookies of requests, and the cookies of responses."""

from mitmproxy import http
from mitmproxy.net.http.cookies import CookieAttrs


def request(flow: http.HTTPFlow) -> None:
    if flow.request.urlencoded_form or flow.request.method == "POST":
        flow.request.urlencoded_form = [("a", "2"), ("b", "3")]
    if flow.request.path == "/other":
        flow.request.query["edited"] = "yes"
    if flow.request.path == "/cookie":
        flow.request.cookies["taste"] = "sour"


def response(flow: http.HTTPFlow) -> None:
    if flow.response and flow.response.cookies:
        flow.response.cookies["taste"] = ("salty", CookieAttrs([("Path", "/")]))
