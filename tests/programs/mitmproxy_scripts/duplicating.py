"""Sends a changed copy of each request for one page once more."""

from mitmproxy import ctx, http


def request(flow: http.HTTPFlow) -> None:
    if flow.is_replay == "request" or flow.request.path != "/page":
        return
    again = flow.copy()
    again.request.path = "/other?again=yes"
    ctx.master.commands.call("replay.client", [again])
