"""The last of the cache's addons: it answers requests that no other addon has answered, as the others left them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from mitmproxy import ctx, http, tls
from mitmproxy.hooks import UpdateHook
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from addon.frontend.mitm import notes
from addon.frontend.mitm.compare import Compare, Stream
from addon.frontend.mitm.flow_requests import request_of_flow, send_as
from addon.frontend.mitm.flow_states import FlowState, FlowStates
from addon.frontend.mitm.messages import fields_of, whole_response
from addon.frontend.mitm.native_fetch import NativeFetch
from addon.frontend.mitm.presentation import Presentation
from addon.frontend.mitm.request_checks import fault_of
from addon.pipeline.reply import Reply
from addon.service import Service
from cache.http.messages import Request

OFFLINE = "secondhand is offline for this host"
"""The error of a connection that is not opened."""


class Answer(Compare):
    """Answers requests from the cache, or has mitmproxy fetch."""

    name = "secondhand-answer"

    def __init__(self, states: FlowStates, until_open: Callable[[], Awaitable[None]]) -> None:
        """Let mitmproxy's start wait for `until_open`."""
        super().__init__(states)
        self._until_open = until_open

    async def running(self) -> None:
        """Wait until the cache is open, after all other addons have started.

        mitmproxy accepts connections already, and its later addons would fail on them: it would then end.
        """
        await self._until_open()

    async def http_connect(self, flow: http.HTTPFlow) -> None:
        """Refuse a tunnel to a prohibited target, and open one without its origin where a copy may answer inside."""
        if flow.response is not None or not flow.live or not self._states.is_on():
            return
        service, there = await self._states.service(), flow.request.data
        if refused := service.refused_tunnel(there.host, there.port, fields_of(flow.request.headers)):
            flow.response = whole_response(flow.request, refused)
        elif ctx.options.connection_strategy == "eager" and await _may_do_without_origin(
            service, there.host, there.port
        ):
            # otherwise mitmproxy would connect now, and give the client an error if it cannot
            flow.response = http.Response.make(200)
            flow.response.reason = "Connection established"
            flow.response.headers.clear()

    async def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        """Do not wait for the origin's TLS while it may not be contacted."""
        server = data.context.server
        if server.address and await self._is_offline(server.sni or server.address[0]):
            data.establish_server_tls_first = False

    async def server_connect(self, data: ServerConnectionHookData) -> None:
        """Open no connection while its host is offline, whatever it is for."""
        server = data.server
        if server.address and not server.error and await self._is_offline(server.sni or server.address[0]):
            server.error = OFFLINE

    async def _is_offline(self, host: str) -> bool:
        return self._states.is_on() and _is_offline(await self._states.service(), host)

    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Decide about a request whose content is streamed: mitmproxy sends its head now."""
        state = self._states[flow]
        if state is not None and flow.request.stream and not _is_without_content(flow.request):
            await self._answer(flow, state)
            if flow.response is not None:
                flow.request.stream = False  # mitmproxy cannot do both

    async def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Pass streamed content to the store as the origin sent it, before another addon's function changes it."""
        state, response = self._states[flow], flow.response
        if state is None or response is None:
            return
        if state.replacing:
            response.stream = False
        elif response.stream and state.fetch is not None:
            if state.fetch.sent is None:
                _apply(response)
            else:
                await super().responseheaders(flow)
                response.stream = _teed(state.fetch, response.stream)

    async def secondhand_streams(self, flow: http.HTTPFlow) -> None:
        """Pass content to the store that was held at first, and is streamed from now on (`serve/served_http.py`)."""
        state, response = self._states[flow], flow.response
        if response is not None:
            response.stream = True
            await super().responseheaders(flow)  # its head is sent now
            if state is not None and state.fetch is not None:
                response.stream = _teed(state.fetch, response.stream)

    async def request(self, flow: http.HTTPFlow) -> None:
        """Answer a request, unless that was done."""
        await _until_resumed(flow)
        state = self._states[flow]
        if state is not None and state.fetch is None:
            await self._answer(flow, state)

    async def response(self, flow: http.HTTPFlow) -> None:
        """Compare a response with what the cache presented, as all addons and the user have left it."""
        await _until_resumed(flow)
        await super().response(flow)

    async def _answer(self, flow: http.HTTPFlow, state: FlowState) -> None:
        if flow.response is not None or flow.error is not None or not flow.live:
            return
        service = await self._states.service()
        if ctx.options.validate_inbound_headers and (fault := fault_of(flow.request)):
            flow.response = whole_response(flow.request, service.errors.malformed_request(fault))
            return
        request = request_of_flow(flow, state.asked)
        state.fetch = fetch = NativeFetch(flow, request, service)
        await fetch.decided()
        if fetch.sent is not None:
            send_as(flow, request, fetch.sent.request)
            return
        reply = await fetch.whole_reply()
        flow.server_conn = fetch.server_conn
        flow.response = whole_response(flow.request, reply)
        state.presented = _presentation(request, reply, flow.response.raw_content)
        notes.note(flow, request, reply)


async def _until_resumed(flow: http.HTTPFlow) -> None:
    """Wait here for the user's changes of an intercepted flow: mitmproxy does so only after all addons."""
    if flow.intercepted:
        await ctx.master.addons.trigger_event(UpdateHook([flow]))
        await flow.wait_for_resume()


def _apply(response: http.Response) -> None:
    """Change content from the cache by another addon's function for streams, which mitmproxy would ignore here."""
    stream, response.stream = response.stream, False
    content = response.raw_content
    if callable(stream) and content:
        pieces = (stream(each) for each in (content, b""))
        response.raw_content = b"".join(each if isinstance(each, bytes) else b"".join(each) for each in pieces)
        if "content-length" in response.headers:
            response.headers["content-length"] = str(len(response.raw_content))


def _teed(fetch: NativeFetch, stream: Stream) -> Stream:
    def passed(chunk: bytes) -> Iterable[bytes] | bytes:
        fetch.tee(chunk)
        return stream(chunk) if callable(stream) else chunk

    return passed


def _presentation(request: Request, reply: Reply, content: bytes | None) -> Presentation | None:
    if reply.handling is None:
        return None  # an error of the cache's own
    return Presentation(request, reply.head.fields, reply.head.status, reply.head.fields, content)


def _is_without_content(request: http.Request) -> bool:
    """Return whether a request is known to have no content. Over HTTP/2, only its end shows that."""
    framed = "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"
    return not framed and not (request.is_http2 or request.is_http3)


def _is_offline(service: Service, host: str) -> bool:
    return service.policy.for_host(host).network.offline


async def _may_do_without_origin(service: Service, host: str, port: int) -> bool:
    """Return whether requests in a tunnel may be answered without contact with its origin."""
    origin = Request("CONNECT", "https", host, port, "/").origin
    return _is_offline(service, host) or await service.active.current.store.holds(f"{origin}/")
