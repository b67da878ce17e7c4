"""The first of the cache's addons: it sees what the origin sent before other addons change it."""

from __future__ import annotations

from collections.abc import Callable

from mitmproxy import ctx, http, tls
from mitmproxy.flow import Error

from addon.frontend.mitm import notes
from addon.frontend.mitm.flow_requests import destination_of
from addon.frontend.mitm.flow_states import FlowStates
from addon.frontend.mitm.messages import whole_response
from addon.frontend.mitm.options import answers_replays
from addon.frontend.mitm.presentation import present
from addon.frontend.mitm.request_checks import fault_of_response
from cache.answer.cache_status import without_stored
from cache.answer.compose import NO_CONTENT
from cache.policy.reasons import NotStored


class Arrival:
    """Gives the origin's responses to the pipeline, and their heads back as the cache presents them."""

    name = "secondhand-arrival"

    def __init__(
        self, states: FlowStates, each_request: Callable[[], None], *, told_of_streaming: bool = False
    ) -> None:
        """Call `each_request` before any addon sees a request.

        `told_of_streaming` means that addons are told when mitmproxy streams content only from some byte on.
        """
        self._told_of_streaming = told_of_streaming
        self._states = states
        self._each_request = each_request

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Begin to take part in a flow, if the options say so."""
        self._each_request()
        if not flow.live:
            return  # mitmproxy loads it from a file
        notes.forget(flow)
        if not self._states.is_on():
            return
        if flow.is_replay and not answers_replays():
            notes.note_aside(flow, "client-replay")
        else:
            self._states.begin(flow, destination_of(flow))

    def tls_established_server(self, data: tls.TlsData) -> None:
        """Note a connection to a server whose certificate was not checked."""
        if ctx.options.ssl_insecure:
            self._states.unverified.add(data.conn)

    async def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Let the pipeline judge the head of a response that mitmproxy fetched."""
        state = self._states[flow]
        if state is None or state.fetch is None or state.fetch.sent is None or flow.response is None:
            return
        if flow.response.status_code < 200:
            await state.fetch.abandon()  # the connection has another protocol from now on
            return
        if fault := fault_of_response(flow.response):
            await state.fetch.failed(f"{fault}, from server")
            notes.note_aside(flow, "malformed-response")
            return
        if flow.server_conn in self._states.unverified and not ctx.options.ssl_insecure:  # ledger SEC-08
            await state.fetch.abandon()  # the request came when the option was off
            notes.note_aside(flow, str(NotStored.UNVERIFIED))
            return
        if await state.fetch.head_arrived(flow.response):
            reply = await state.fetch.reply
            passes_unseen = not self._told_of_streaming and _may_pass_unseen(flow.response)
            head = without_stored(reply.head, None) if passes_unseen else reply.head
            state.presented = present(state.fetch.request, flow.response, head)
            notes.note(flow, state.fetch.request, reply)
        else:
            state.replacing = True

    async def response(self, flow: http.HTTPFlow) -> None:
        """Store a response before its last byte reaches the client, which may ask for it again at once."""
        state = self._states[flow]
        if state is None or state.fetch is None or state.fetch.sent is None or flow.response is None:
            return
        response = flow.response
        if state.replacing:
            reply = await state.fetch.whole_reply()
            flow.response = whole_response(flow.request, reply)
            notes.note(flow, state.fetch.request, reply)
            return
        if response.status_code in NO_CONTENT and response.raw_content:
            state.fetch.drop_content(response.status_code)
            response.raw_content = b""  # RFC 9110 §15.3.5, §15.3.6
        if state.presented:
            state.presented.content = response.raw_content
        await state.fetch.ended(response.raw_content, response.trailers)
        if state.fetch.unseen:
            notes.note_not_stored(flow, NotStored.INCOMPLETE)

    async def error(self, flow: http.HTTPFlow) -> None:
        """Tell the pipeline that there will be no complete response."""
        state = self._states[flow]
        if state is None or state.fetch is None or flow.error is None:
            return
        if is_of_client(flow, flow.error):
            await state.fetch.abandon()
        else:
            await state.fetch.failed(flow.error.msg)
            if state.fetch.reply.done() and not state.fetch.reply.exception():
                notes.note(flow, state.fetch.request, state.fetch.reply.result())


def _may_pass_unseen(response: http.Response) -> bool:
    """Return whether mitmproxy may begin to stream the response later: it tells nobody what it has streamed then."""
    return bool(ctx.options.stream_large_bodies) and "content-length" not in response.headers


def is_of_client(flow: http.HTTPFlow, error: Error) -> bool:
    """Return whether the client, or a user of mitmproxy, has ended a flow: that says nothing about the origin."""
    return error.msg == Error.KILLED_MESSAGE or "client" in error.msg or not flow.client_conn.connected
