"""A small addon of somebody else's, beside whom the cache has to live."""

from mitmproxy import http


class Greeting:
    """Adds a field to every answer."""

    def response(self, flow: http.HTTPFlow) -> None:
        assert flow.response
        flow.response.headers["X-Greeting"] = "hello"


addons = [Greeting()]
