"""mitmproxy's hooks: translate, ask, obey.

A bodyless GET or HEAD is answered by the responder. Everything else (uploads, unsafe methods, WebSocket) stays with
mitmproxy, streamed, and the engine is told what came of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from mitmproxy import connection, ctx, http

from addon.frontend.mitm.loopback import LoopbackServer
from addon.frontend.mitm.messages import fields_of, head_of, headers_of, request_of, whole_response
from addon.frontend.mitm.request_checks import fault_of
from addon.service import Service
from cache import engine
from cache.engine.decisions import Invalidate, Refuse, Relay, Store, UpstreamRequest
from cache.http.field_table import hop_by_hop
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Detail, NotStored
from cache.rules.invalidation import keys_in_doubt
from cache.rules.key import primary_key
from cache.rules.selection import asks_for_web_socket, passed_by

FRAMING = frozenset({"content-length", "transfer-encoding"})
"""mitmproxy frames what it sends by these, so they stay with a message that it carries."""

SMALL = 65_536
"""Octets of content that are not worth a stream."""

HELD = 1_048_576
"""Octets of an answer to POST that are held in memory to be stored; a larger one is streamed."""

CARRIED = frozenset({Detail.UPGRADE, Detail.CONTENT_IN_REQUEST, Detail.HOST_MISMATCH})
"""What passes the cache by and needs mitmproxy to carry it, as every other request with content does."""


@dataclass(frozen=True, slots=True)
class CarriedRequest:
    """A request that mitmproxy carries to the origin itself."""

    request: Request
    sent: UpstreamRequest
    sent_at: float


@dataclass(frozen=True, slots=True)
class Detour:
    """A request whose reply mitmproxy fetches from the relay, and where it was really for."""

    path: str
    host: str
    port: int
    scheme: bytes
    target: bytes


class Hooks:
    """The addon. `service` returns the cache, once it is ready."""

    def __init__(self, service: Callable[[], Awaitable[Service]]) -> None:
        self._service = service
        self._carried: WeakKeyDictionary[http.HTTPFlow, CarriedRequest] = WeakKeyDictionary()
        self._kept: WeakKeyDictionary[http.HTTPFlow, Store] = WeakKeyDictionary()
        self._detours: WeakKeyDictionary[http.HTTPFlow, Detour] = WeakKeyDictionary()

    async def http_connect(self, flow: http.HTTPFlow) -> None:
        """Refuse a tunnel to where this proxy does not go."""
        if _is_settled(flow):
            return
        service, there = await self._service(), flow.request.data
        if refused := service.refused_tunnel(there.host, there.port, fields_of(flow.request.headers)):
            flow.response = whole_response(flow.request, refused)

    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        """See what mitmproxy is to carry, and let it stream that, so that no upload is held in memory."""
        if _is_settled(flow):
            return
        service = await self._service()
        if fault := fault_of(flow.request):
            flow.response = whole_response(flow.request, service.fetcher.malformed(fault))
            return
        request = request_of(flow, edge=service.is_edge)
        if _is_carried(request, service.policy):
            await self._carry(flow, service, request)

    async def _carry(self, flow: http.HTTPFlow, service: Service, request: Request) -> None:
        candidates = await service.stored.candidates(primary_key(request))
        decision = engine.on_request(request, candidates, service.policy, service.clock())
        if isinstance(decision, Refuse):
            flow.response = whole_response(flow.request, service.fetcher.reply_builder.refuse(decision))
        elif isinstance(decision, UpstreamRequest):
            if request.scheme == "https" and ctx.options.ssl_insecure:  # ledger SEC-08
                decision = replace(decision, not_storable=NotStored.UNVERIFIED)
            self._carried[flow] = CarriedRequest(request, decision, service.clock())
            _strip(flow, request, decision.request)
            if request.has_content and FRAMING.isdisjoint(name.lower() for name, _ in request.fields):
                # mitmproxy would send what came over HTTP/2 without an end to it (RFC 9112 §6.3)
                flow.request.headers["content-length"] = str(len(flow.request.raw_content or b""))
            flow.request.stream = request.has_content

    async def request(self, flow: http.HTTPFlow) -> None:
        """Answer from the cache, at once or by way of the loopback."""
        if _is_settled(flow) or flow in self._carried:
            return
        service = await self._service()
        request = request_of(flow, edge=service.is_edge)
        if _is_carried(request, service.policy):  # over HTTP/2 content may show only now
            await self._carry(flow, service, request)
            return
        # what is small goes out in one piece; the relay costs a connection
        reply = await service.responder.buffered(request, await service.responder.respond(request), SMALL)
        if isinstance(reply.content, bytes):
            flow.response = whole_response(flow.request, reply)
        else:
            self._detour(flow, service.loopback, service.loopback.offer(reply.head, reply.content))

    def _detour(self, flow: http.HTTPFlow, loopback: LoopbackServer, path: str) -> None:
        """Send mitmproxy to the relay, on a connection of its own whatever proxy lies upstream."""
        there = flow.request.data
        self._detours[flow] = Detour(path, there.host, there.port, there.scheme, there.path)
        there.host, there.port = loopback.address
        there.scheme, there.path = b"http", path.encode()
        flow.server_conn = connection.Server(address=loopback.address)

    async def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Put a detour right, or pass on what mitmproxy has carried."""
        if flow.response is None:
            return
        if detour := self._detours.get(flow):
            there = flow.request.data
            there.host, there.port, there.scheme, there.path = detour.host, detour.port, detour.scheme, detour.target
            flow.response.stream = True
        elif carried := self._carried.get(flow):
            await self._pass_on(flow, flow.response, carried)

    async def _pass_on(self, flow: http.HTTPFlow, response: http.Response, carried: CarriedRequest) -> None:
        service = await self._service()
        if response.status_code == 101:
            if not asks_for_web_socket(carried.request.fields):
                flow.kill()  # nobody asked for another protocol (RFC 9110 §15.2.2)
            return
        received = Received(head_of(response), carried.sent_at, service.clock())
        outcome = service.fetcher.judged(carried.request, carried.sent, received, held=HELD)
        # before the client knows, so that its next request does not find what has just become outdated
        await service.fetcher.apply(outcome.changes)
        if not isinstance(outcome, Relay | Store):
            response.stream = True
            return
        service.fetcher.reply_builder.count(carried.request, outcome.handling, outcome.answer.exemption)
        framing = [line for line in received.head.fields if line[0].lower() in FRAMING]
        _relabel(response, outcome.answer.head, framing if outcome.answer.has_content else [])
        if isinstance(outcome, Store):
            self._kept[flow] = outcome  # held in memory by mitmproxy until it is whole
        elif not outcome.answer.has_content and carried.request.method != "HEAD":
            response.stream = service.fetcher.reply_builder.dropping(carried.request, received.head)
        else:
            response.stream = True

    async def response(self, flow: http.HTTPFlow) -> None:
        """Store what mitmproxy has carried and a later GET may have, before its last octet reaches the client."""
        outcome = self._kept.pop(flow, None)
        if outcome and flow.response and flow.response.raw_content is not None:
            service = await self._service()
            await service.fetcher.fills.keep(outcome, flow.response.raw_content)

    async def error(self, flow: http.HTTPFlow) -> None:
        """Let go of a reply that nobody fetched; doubt what an unsafe request without an answer may have changed."""
        service = await self._service()
        if detour := self._detours.pop(flow, None):
            service.loopback.withdraw(detour.path)
        elif (carried := self._carried.pop(flow, None)) and flow.response is None:
            service.counters.count("failures.carried")
            await service.fetcher.apply(tuple(map(Invalidate, keys_in_doubt(carried.request))))


def _is_settled(flow: http.HTTPFlow) -> bool:
    """Tell whether another addon has answered, or the client is gone."""
    return flow.response is not None or flow.error is not None or not flow.live


def _is_carried(request: Request, policy: CachePolicy) -> bool:
    bypass = passed_by(request, policy)
    return request.has_content or (bypass is not None and bypass[1] in CARRIED)


def _strip(flow: http.HTTPFlow, request: Request, upstream: Request) -> None:
    """Take this hop's fields off a request that mitmproxy carries, and put Via on (RFC 9110 §7.6)."""
    headers = flow.request.headers
    for name in hop_by_hop(request.fields) - FRAMING:
        headers.pop(name, None)
    if asks_for_web_socket(request.fields):
        headers["connection"], headers["upgrade"] = "Upgrade", "websocket"
    if "host" not in request.fields:
        headers["host"] = request.authority  # RFC 9112 §3.2.2: whatever it said
    for name in ("max-forwards", "via"):  # what the engine has changed or added
        if value := upstream.fields.get(name):
            headers[name] = value


def _relabel(response: http.Response, head: Response, framing: list[tuple[str, str]]) -> None:
    """Give a response the head that the cache presents."""
    fields = head.fields.without(FRAMING).appending(*framing) if framing else head.fields
    if response.is_http2 or response.is_http3:
        fields = Fields(tuple((name.lower(), value) for name, value in fields))
    response.status_code, response.reason = head.status, head.reason
    response.headers = headers_of(fields)
