"""mitmproxy's hooks: the cache as an addon.

GET and HEAD without content are answered by the responder. mitmproxy carries all other requests (uploads, unsafe
methods, WebSocket) to the origin itself and streams them; their responses are judged as any other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from mitmproxy import connection, ctx, http
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from addon.frontend.mitm.draining import FlowsUnderWay
from addon.frontend.mitm.loopback import LoopbackServer
from addon.frontend.mitm.messages import fields_of, head_of, headers_of, request_of, whole_response
from addon.frontend.mitm.request_checks import fault_of, size_fault_of
from addon.origin import OriginFailure
from addon.pipeline.fetcher import Fetcher
from addon.pipeline.responder import Trial
from addon.service import Service
from cache.engine.decisions import Invalidate, Refuse, Relay, Store, UpstreamRequest
from cache.http.field_table import FRAMING
from cache.http.messages import Fields, Received, Request, Response, normalised_host
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Detail, NotStored
from cache.rules.invalidation import keys_in_doubt
from cache.rules.key import primary_key
from cache.rules.selection import asks_for_web_socket, reason_to_bypass

"""Fields by which mitmproxy frames a message, so they stay in a message that it carries."""

MAX_SMALL = 65_536
"""Bytes of content that are sent in one piece: the loopback server would cost a connection."""

MAX_HELD_BYTES = 1_048_576
"""Bytes of a response that mitmproxy holds in memory to be stored; a larger one is streamed."""

CARRIED = frozenset({Detail.UPGRADE, Detail.CONTENT_IN_REQUEST, Detail.HOST_MISMATCH})
"""Reasons to bypass the cache whose requests mitmproxy carries, besides all requests with content."""


@dataclass(frozen=True, slots=True)
class CarriedRequest:
    """A request that mitmproxy carries to the origin."""

    request: Request
    sent: UpstreamRequest
    sent_at: float


@dataclass(frozen=True, slots=True)
class Detour:
    """A request whose response mitmproxy fetches from the loopback server, and where it was sent to."""

    path: str
    host: str
    port: int
    scheme: bytes
    target: bytes


class Hooks:
    """Hooks of mitmproxy, by which the cache answers requests and judges responses."""

    def __init__(self, service: Callable[[], Awaitable[Service]]) -> None:
        """Use the cache that `service` returns once it is ready."""
        self._service = service
        self.under_way = FlowsUnderWay()
        self.keep_connections = True
        """Clients may send another request after a response; False once the proxy stops."""
        self._loopback = LoopbackServer()
        self._carried: WeakKeyDictionary[http.HTTPFlow, CarriedRequest] = WeakKeyDictionary()
        self._kept: WeakKeyDictionary[http.HTTPFlow, Store] = WeakKeyDictionary()
        self._detours: WeakKeyDictionary[http.HTTPFlow, Detour] = WeakKeyDictionary()
        self._named: WeakKeyDictionary[connection.Server, tuple[str, int]] = WeakKeyDictionary()

    async def running(self) -> None:
        """Start the loopback server. Raises OSError."""
        await self._loopback.start()

    async def done(self) -> None:
        """Stop the loopback server."""
        await self._loopback.close()

    async def http_connect(self, flow: http.HTTPFlow) -> None:
        """Refuse a tunnel to a target that is prohibited."""
        if _is_settled(flow):
            return
        service, there = await self._service(), flow.request.data
        if refused := service.refused_tunnel(there.host, there.port, fields_of(flow.request.headers)):
            flow.response = whole_response(flow.request, refused)

    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Find requests that mitmproxy carries, and let it stream them, so that no upload is held in memory."""
        self.under_way.add(flow)
        if _is_settled(flow):
            return
        service = await self._service()
        if too_large := size_fault_of(flow.request, service.settings.limits):
            flow.response = whole_response(flow.request, service.errors.malformed_request(*too_large))
            return
        if fault := fault_of(flow.request):
            flow.response = whole_response(flow.request, service.errors.malformed_request(fault))
            return
        request = request_of(flow, edge=service.is_edge)
        if _is_carried(request, service.policy):
            await self._carry(flow, service, request)

    async def _carry(self, flow: http.HTTPFlow, service: Service, request: Request) -> None:
        candidates = await service.active.current.store.candidates(primary_key(request))
        decision = service.active.current.responder.decide(request, candidates)
        if isinstance(decision, Trial):
            decision = decision.sent
        if isinstance(decision, Refuse):
            flow.response = whole_response(flow.request, service.errors.refuse(decision))
        elif isinstance(decision, UpstreamRequest):
            if service.policy.requests.reach and (
                failure := await _failure_to_reach(service, request.host, request.port)
            ):
                flow.response = whole_response(flow.request, service.errors.origin_failed(failure))
                return
            if request.scheme == "https" and ctx.options.ssl_insecure:  # ledger SEC-08
                decision = replace(decision, not_storable=NotStored.UNVERIFIED)
            self._carried[flow] = CarriedRequest(request, decision, service.clock())
            _strip(flow, request, decision)
            if request.has_content and FRAMING.isdisjoint(name.lower() for name, _ in request.fields):
                # mitmproxy would send content that came over HTTP/2 without any framing (RFC 9112 §6.3)
                flow.request.headers["content-length"] = str(len(flow.request.raw_content or b""))
            flow.request.stream = request.has_content

    async def server_connect(self, data: ServerConnectionHookData) -> None:
        """Let mitmproxy connect to the address that clients may reach: it would resolve the name once more itself."""
        service, server = await self._service(), data.server
        if not service.policy.requests.reach or server.address in {None, self._loopback.address} or server.via:
            return
        host, port = server.address
        try:
            address = await _fetcher(service).client.reachable_address(host, port)
        except OriginFailure as failure:
            server.error = failure.detail
            return
        self._named[server] = server.address
        server.address = (address, port)

    def server_connected(self, data: ServerConnectionHookData) -> None:
        """Give the connection its name back, by which mitmproxy uses it again."""
        if address := self._named.pop(data.server, None):
            data.server.address = address

    def server_connect_error(self, data: ServerConnectionHookData) -> None:
        """Give the connection that failed its name back."""
        self.server_connected(data)

    async def request(self, flow: http.HTTPFlow) -> None:
        """Answer from the cache, at once or by way of the loopback."""
        if _is_settled(flow) or flow in self._carried:
            return
        service = await self._service()
        request = request_of(flow, edge=service.is_edge)
        if _is_carried(request, service.policy):  # over HTTP/2 the content is known only now
            await self._carry(flow, service, request)
            return
        responder = service.active.current.responder
        reply = await responder.buffered(request, await responder.respond(request), MAX_SMALL)
        if isinstance(reply.content, bytes):
            flow.response = whole_response(flow.request, reply)
        else:
            await self._loopback.start()  # a request may come before `running`
            self._detour(flow, self._loopback.offer(reply.head, reply.content))

    def _detour(self, flow: http.HTTPFlow, path: str) -> None:
        """Send mitmproxy to the loopback server, directly even if mitmproxy has an upstream proxy."""
        there = flow.request.data
        self._detours[flow] = Detour(path, there.host, there.port, there.scheme, there.path)
        there.host, there.port = self._loopback.address
        there.scheme, there.path = b"http", path.encode()
        flow.server_conn = connection.Server(address=self._loopback.address)

    async def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Undo a detour, or judge the response to a carried request."""
        if flow.response is None:
            return
        if detour := self._detours.get(flow):
            there = flow.request.data
            there.host, there.port, there.scheme, there.path = detour.host, detour.port, detour.scheme, detour.target
            flow.response.stream = True
        elif carried := self._carried.get(flow):
            await self._judge(flow, flow.response, carried)
        self._announce_end(flow)

    def _announce_end(self, flow: http.HTTPFlow) -> None:
        """Let the connection end with this response if the proxy stops (RFC 9112 §9.6); HTTP/2 has no field for it."""
        if flow.response is not None and not self.keep_connections and not flow.request.is_http2:
            flow.response.headers["connection"] = "close"

    async def _judge(self, flow: http.HTTPFlow, response: http.Response, carried: CarriedRequest) -> None:
        service = await self._service()
        if response.status_code == 101:
            if not asks_for_web_socket(carried.request.fields):
                flow.kill()  # the client did not ask for another protocol (RFC 9110 §15.2.2)
            return
        received = Received(head_of(response), carried.sent_at, service.clock())
        fetcher = _fetcher(service)
        fetcher.note_response(carried.request)
        outcome = fetcher.outcomes.judge(carried.request, carried.sent, received, fetcher.policy, held=MAX_HELD_BYTES)
        # before the client gets the response, so that its next request does not find what was just invalidated
        await fetcher.outcomes.carry_out(carried.request, outcome)
        if not isinstance(outcome, Relay | Store):
            response.stream = True  # a copy cannot replace a response that mitmproxy already receives
            return
        framing = [line for line in received.head.fields if line[0].lower() in FRAMING]
        _relabel(response, outcome.response.head, framing if outcome.response.has_content else [])
        if isinstance(outcome, Store):
            self._kept[flow] = outcome  # mitmproxy holds it in memory until it is complete
        elif not outcome.response.has_content and carried.request.method != "HEAD":
            response.stream = fetcher.reply_builder.dropping(carried.request, received.head)
        else:
            response.stream = True

    async def response(self, flow: http.HTTPFlow) -> None:
        """Store a carried response that a later GET may use, before its last byte reaches the client."""
        outcome = self._kept.pop(flow, None)
        if outcome and flow.response and flow.response.raw_content is not None:
            await _fetcher(await self._service()).held.keep(outcome, flow.response.raw_content)
        self._announce_end(flow)  # this cache's own responses come here only

    async def error(self, flow: http.HTTPFlow) -> None:
        """Close a reply that was not fetched; invalidate what an unsafe request without a response may have changed."""
        service = await self._service()
        if detour := self._detours.pop(flow, None):
            self._loopback.withdraw(detour.path)
        elif (carried := self._carried.pop(flow, None)) and flow.response is None:
            service.counters.count("failures.carried")
            await _fetcher(service).outcomes.apply(tuple(map(Invalidate, keys_in_doubt(carried.request))))


async def _failure_to_reach(service: Service, host: str, port: int) -> OriginFailure | None:
    try:
        await _fetcher(service).client.reachable_address(host, port)
    except OriginFailure as failure:
        return failure
    return None


def _fetcher(service: Service) -> Fetcher:
    return service.active.current.fetcher


def _is_settled(flow: http.HTTPFlow) -> bool:
    """Return whether another addon has answered, or the client has disconnected."""
    return flow.response is not None or flow.error is not None or not flow.live


def _is_carried(request: Request, policy: CachePolicy) -> bool:
    bypass = reason_to_bypass(request, policy)
    return request.has_content or (bypass is not None and bypass[1] in CARRIED)


def _strip(flow: http.HTTPFlow, request: Request, sent: UpstreamRequest) -> None:
    """Remove from a request that mitmproxy carries what the engine has removed, and add Via (RFC 9110 §7.6)."""
    headers, upstream = flow.request.headers, sent.request
    for name in request.fields.names() - upstream.fields.names() - FRAMING:
        headers.pop(name, None)
    if asks_for_web_socket(request.fields):
        headers["connection"], headers["upgrade"] = "Upgrade", "websocket"
    if sent.detail is not Detail.HOST_MISMATCH:
        headers["host"] = request.authority  # RFC 9112 §3.2.2: the target counts, in the spelling of the key
        if flow.request.authority:
            flow.request.authority = request.authority
    # not in a tunnel, which leads to its own target, and not at an edge, which leads to its origin
    if "host" not in request.fields and normalised_host(flow.request.data.host) == request.host:
        flow.request.data.host = request.host
    for name in ("max-forwards", "via"):  # changed or added by the engine
        if value := upstream.fields.get(name):
            headers[name] = value


def _relabel(response: http.Response, head: Response, framing: list[tuple[str, str]]) -> None:
    """Replace the head of a response by the one that the cache presents."""
    fields = head.fields.without(FRAMING).appending(*framing) if framing else head.fields
    if response.is_http2 or response.is_http3:
        fields = Fields(tuple((name.lower(), value) for name, value in fields))
    response.status_code, response.reason = head.status, head.reason
    response.headers = headers_of(fields)
