"""Edits and injects messages of WebSockets and of TCP."""

from mitmproxy import ctx, http, tcp


def websocket_message(flow: http.HTTPFlow) -> None:
    assert flow.websocket
    last = flow.websocket.messages[-1]
    if last.injected:
        return
    last.content = last.content.upper()
    if last.from_client:
        ctx.master.commands.call("inject.websocket", flow, True, b"injected")


def tcp_message(flow: tcp.TCPFlow) -> None:
    flow.messages[-1].content = flow.messages[-1].content.upper()
