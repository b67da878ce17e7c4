"""Observes: an option and a command of its own, a content view, a filter, a count, and all hooks in the metadata."""

import json
import logging
from collections.abc import Sequence

from mitmproxy import command, contentviews, ctx, flow, flowfilter, http
from mitmproxy.addonmanager import Loader


class Swapped(contentviews.Contentview):
    name = "swapped"

    def prettify(self, data: bytes, metadata: contentviews.Metadata) -> str:
        return data.decode().swapcase()

    def render_priority(self, data: bytes, metadata: contentviews.Metadata) -> float:
        return 2 if metadata.content_type == "text/plain" else 0


class Observing:
    def __init__(self) -> None:
        self.flows = 0

    def load(self, loader: Loader) -> None:
        loader.add_option("observed", str, "~all", "which flows are observed")
        contentviews.add(Swapped)

    def configure(self, updated: set[str]) -> None:
        if "observed" in updated:
            self.filter = flowfilter.parse(ctx.options.observed)

    @command.command("observing.lengths")
    def lengths(self, flows: Sequence[flow.Flow]) -> str:
        return json.dumps([len(each.response.content or b"") for each in flows if each.response])

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        self._note(flow, "requestheaders")

    def request(self, flow: http.HTTPFlow) -> None:
        self.flows += 1
        flow.request.headers["X-Number"] = str(self.flows)
        self._note(flow, "request")

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        self._note(flow, "responseheaders")

    def response(self, flow: http.HTTPFlow) -> None:
        self._note(flow, "response")
        if not flowfilter.match(self.filter, flow):
            return
        record = flow.get_state()  # type: ignore[no-untyped-call]  # mitmproxy states no types here
        logging.info("%s", sorted(record))
        logging.info("%s", ctx.master.commands.call("observing.lengths", [flow]))
        logging.info("%s", contentviews.prettify_message(flow.response, flow).text[:20] if flow.response else "")

    def error(self, flow: http.HTTPFlow) -> None:
        self._note(flow, "error")

    def _note(self, flow: http.HTTPFlow, hook: str) -> None:
        flow.metadata["hooks"] = f"{flow.metadata.get('hooks', '')} {hook}"


addons = [Observing()]
