"""The addon of `serve` that comes right after the first one of the cache: what scripts must not have to think of."""

from __future__ import annotations

from mitmproxy import http
from mitmproxy.proxy import mode_specs

from addon.frontend.mitm.flow_states import FlowStates
from addon.frontend.mitm.messages import head_of, head_of_request, whole_response
from addon.frontend.mitm.request_checks import fault_of, size_fault_of
from addon.frontend.mitm.serve.draining import FlowsUnderWay
from addon.frontend.mitm.serve.served_connections import ServedConnections
from addon.frontend.set_up_page.page import HOSTS
from cache.rules.streams import asks_for_stream, is_stream


class ServedRequests:
    """Refuses ambiguous requests, and lets mitmproxy stream what must not be held in memory.

    Attributes:
        under_way: The exchanges that have not ended.
    """

    name = "secondhand-served"

    def __init__(self, served: ServedConnections, states: FlowStates) -> None:
        self.under_way = FlowsUnderWay()
        self._served = served
        self._states = states

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Refuse an ambiguous request, and stream content whose length is not known."""
        self.under_way.add(flow)
        if flow.response is not None or flow.error is not None:
            return
        self._served.mark_request(flow)
        if fault := self._fault_of(flow.request):
            flow.response = whole_response(flow.request, self._served.service.errors.malformed_request(*fault))
            flow.request.stream = False
        elif page := self._page_for(flow):
            flow.response = page
            flow.request.stream = False
        elif "transfer-encoding" in flow.request.headers or asks_for_stream(head_of_request(flow.request)):
            flow.request.stream = True

    def _page_for(self, flow: http.HTTPFlow) -> http.Response | None:
        """Return the set-up page if a client asks for one of its hosts, in any mode but that of a gateway."""
        page, request, mode = self._served.page, flow.request, flow.client_conn.proxy_mode
        # RFC 9112 §3.2.2: the target or that of the tunnel counts, not the Host field; other modes may know no name
        is_named = isinstance(mode, mode_specs.RegularMode | mode_specs.UpstreamMode)
        host = request.host if is_named else request.pretty_host
        if page is None or isinstance(mode, mode_specs.ReverseMode) or host.lower() not in HOSTS:
            return None
        return whole_response(request, page.reply(self._served.service.errors, request.method, request.path))

    def _fault_of(self, request: http.Request) -> tuple[str, int] | None:
        """Return what is wrong with a request, and the status for it. Over HTTP/1 its reader has looked before."""
        if too_large := size_fault_of(request, self._served.settings.limits):
            return too_large
        fault = fault_of(request)
        return (fault, 400) if fault else None

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Stream a response that may have no end."""
        if flow.response is not None and is_stream(head_of(flow.response)):
            flow.response.stream = True

    def response(self, flow: http.HTTPFlow) -> None:
        """Note what the cache has made of the flow, for the access log."""
        self._note_reply(flow)

    def error(self, flow: http.HTTPFlow) -> None:
        """Note what the cache has made of the failure."""
        self._note_reply(flow)

    def _note_reply(self, flow: http.HTTPFlow) -> None:
        state = self._states[flow]
        reply = state.fetch.reply if state is not None and state.fetch is not None else None
        if reply is not None and reply.done() and not reply.cancelled() and not reply.exception():
            self._served.note_reply(flow, reply.result())
