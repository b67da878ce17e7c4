"""Shared by all connections of one mitmproxy that `serve` runs: limits, error pages, the access log."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from mitmproxy import http
from mitmproxy.proxy.layers.http import ErrorCode

from addon.config.settings import Settings
from addon.frontend.exchange_marks import NO_MARKS, REQUEST_ID, ExchangeMarks
from addon.frontend.http1.request_head import HeadLimits
from addon.frontend.mitm.failures import failure_of
from addon.frontend.mitm.messages import head_of_request, whole_response
from addon.frontend.mitm.serve.served_clients import ServedClients
from addon.frontend.set_up_page.page import set_up_page_of
from addon.origin.options import OriginOptions
from addon.pipeline.reply import Reply
from addon.runtime.access_log.file import AccessLog
from addon.runtime.access_log.logged_response import LoggedResponse, Sending, new_request_id, request_line
from addon.runtime.recent_exchanges import RecentExchanges
from addon.service import Service

if TYPE_CHECKING:
    from addon.runtime.traces import Traces


class ServedConnections:
    """The limits and the service of the connections, and what is known of their flows.

    Attributes:
        service: The cache that answers.
        keep: Clients may send another request after a response; False once the proxy stops.
        log: The access log, if there is one.
        clients: The addon that waits for clients to speak HTTP.
        recent: The recent exchanges, if they are kept.
        page: The set-up page; None for an edge.
        traces: Makes a span of each request, if the operator wants that.
    """

    def __init__(self, service: Service, clients: ServedClients, log: AccessLog | None = None) -> None:
        self.service = service
        self.clients = clients
        self.keep = True
        self.traces: Traces | None = None
        self.log = log
        self.recent: RecentExchanges | None = None
        if service.settings.admin.place:
            self.recent = RecentExchanges()
            service.commands["exchanges"] = self.recent.handle
        self.page = set_up_page_of(service.settings)
        self._replies: WeakKeyDictionary[http.HTTPFlow, Reply] = WeakKeyDictionary()

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.service.settings

    @property
    def head_limits(self) -> HeadLimits:
        """The largest request heads."""
        return HeadLimits(self.settings.limits.max_head, self.settings.limits.max_line)

    @property
    def origin_options(self) -> OriginOptions:
        """The limits for responses of origins."""
        return self.settings.origin_options()

    def note_reply(self, flow: http.HTTPFlow, reply: Reply) -> None:
        """Remember what the cache has made of a flow."""
        self._replies[flow] = reply

    def error_page(self, flow: http.HTTPFlow, message: str, code: ErrorCode) -> http.Response:
        """Return the response in place of the page that mitmproxy makes of an error.

        That is what the cache has made of the failed fetch, or else an error that says what mitmproxy says.
        """
        reply = self._replies.get(flow)
        if reply is None or reply.refused is None or not isinstance(reply.content, bytes):
            status = code.http_status_code()
            if status is not None and status < 500:
                reply = self.service.errors.malformed_request(message, status)
            else:
                reply = self.service.errors.origin_failed(failure_of(flow.request.pretty_host, message))
        self._replies[flow] = reply
        return whole_response(flow.request, reply)

    def write_log(self, flow: http.HTTPFlow, status: int, size: int) -> None:
        """Count a response, write it to the access log, and keep it among the recent exchanges."""
        logged = self._logged(flow, status, size)
        sending = self._sending(flow, self._replies.get(flow))
        self.service.metrics.responses.note(logged, "", sending.seconds, sending.upstream)
        if self.traces is not None:
            self.traces.end(logged, sending)
        if self.recent is not None:
            self.recent.note(logged, sending)
        if self.log is not None:
            self.log.note_response(logged, sending)

    def _logged(self, flow: http.HTTPFlow, status: int, size: int) -> LoggedResponse:
        request, reply = flow.request, self._replies.get(flow)
        is_tunnel = request.method == "CONNECT"
        target = f"{request.data.host}:{request.data.port}" if is_tunnel else request.pretty_url
        return LoggedResponse(
            status,
            size,
            None if is_tunnel else head_of_request(request),
            request_line(request.method, target, request.http_version),
            handling=reply.handling if reply else None,
            refused=reply.refused if reply else None,
            is_tunnel=is_tunnel,
        )

    def _sending(self, flow: http.HTTPFlow, reply: Reply | None) -> Sending:
        """Return how the response to a flow was sent, which has just ended."""
        client, now = flow.client_conn, self.service.clock()
        received = flow.request.timestamp_end or flow.request.timestamp_start
        return Sending(
            now,
            client.peername[0] if client.peername else "",
            max(0.0, now - received),
            reply.upstream if reply else None,
            tls=(client.tls_version, client.cipher),
            id=self.marks.id_of(head_of_request(flow.request)),
        )

    @property
    def marks(self) -> ExchangeMarks:
        """The fields that each response has for itself."""
        return ExchangeMarks.of(self.settings.answer)

    def mark_request(self, flow: http.HTTPFlow) -> None:
        """Give a request its id and its trace, if requests have these. No client is trusted to have given an id."""
        if self.marks.request_id:
            flow.request.headers[REQUEST_ID] = new_request_id()
        if self.traces is not None:
            marked = self.traces.begin(head_of_request(flow.request))
            flow.request.headers["traceparent"] = marked.fields.get("traceparent") or ""

    def mark_response(self, flow: http.HTTPFlow, response: http.Response) -> None:
        """Add the fields of its own to a response that is about to be sent."""
        marks = self.marks
        if flow.request.method == "CONNECT" or marks == NO_MARKS:
            return
        for name, value in marks.lines(self._logged(flow, response.status_code, 0), self._replies.get(flow)):
            response.headers[name] = value
