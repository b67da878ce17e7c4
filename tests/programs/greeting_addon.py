"""A small mitmproxy addon of another project, which runs beside the cache."""

from mitmproxy import http


class Greeting:
    """Adds a field to every response."""

    def response(self, flow: http.HTTPFlow) -> None:
        assert flow.response
        flow.response.headers["X-Greeting"] = "hello"


addons = [Greeting()]
