"""Reads the requests that `why` asks about as the listener would read them from a client."""

from __future__ import annotations

from addon.frontend.frontend import Frontend
from addon.frontend.gateway.sites import Sites
from addon.frontend.http1.refused_requests import checked
from addon.frontend.http1.request_head import MalformedRequest, RefusedRequest, RequestHead, parse
from addon.frontend.http1.request_target import ForwardProxyTargets, GatewayTargets, RequestTargets, TunnelTargets
from addon.pipeline.error_replies import ErrorReplies
from addon.pipeline.why_command import Question
from addon.runtime.counters import Counters
from cache.engine.explain import Explanation, Step
from cache.http.messages import Request
from cache.policy.reason_texts import text_of
from cache.policy.reasons import Forwarded
from cache.rules.key import ascii_uri, request_for

OWN_MACHINE = "127.0.0.1"
"""The address that the client would have."""


_UNOPENED = Step("tunnel", "tls.leave_alone names the host, so that its tunnels are passed through unopened", "ours")


class Questions:
    """Reads requests for one front end."""

    def __init__(self, frontend: Frontend) -> None:
        self._frontend = frontend

    async def read(self, question: Question) -> Request | Explanation:
        """Return the request, or an explanation if it is refused before the cache is asked.

        Raises:
            ValueError: the URL is malformed.
        """
        request = request_for(ascii_uri(question.url))
        if self._passes_through(request):
            return Explanation((_UNOPENED,), "forward", Forwarded.BYPASS, None)
        targets = self._targets(request)
        try:
            head = self._head(question, request)
            return await self._request(head, targets)
        except MalformedRequest as fault:
            return self._refused(fault)

    def _passes_through(self, request: Request) -> bool:
        """Return whether a request would be in a tunnel that this proxy does not open."""
        return self._is_in_tunnel(request) and self._frontend.leaves_alone(request.host)

    def _is_in_tunnel(self, request: Request) -> bool:
        return request.scheme == "https" and not self._frontend.service.is_edge

    async def _request(self, head: RequestHead, targets: RequestTargets) -> Request:
        try:
            return targets.request(head)
        except RefusedRequest as refused:
            return await checked(refused, self._frontend.sites, lambda: targets.request(head))

    def _targets(self, request: Request) -> RequestTargets:
        if self._frontend.service.is_edge:
            return GatewayTargets(self._sites(), scheme=request.scheme)
        if self._is_in_tunnel(request):
            return TunnelTargets.of("https", request.host, request.port, request.host, page=self._frontend.page)
        return ForwardProxyTargets(self._frontend.page)

    def _sites(self) -> Sites:
        """Return the sites with counts of their own: a question is no request, and takes nobody's place."""
        served = self._frontend.sites
        service = self._frontend.service
        sites = Sites((), tls_port=served.tls_port)
        sites.ports = served.ports
        sites.use(service.settings.sites, service.policy.site_rules, served.gates.passwords)
        return sites

    def _head(self, question: Question, request: Request) -> RequestHead:
        """Return the head that a client would send. Raises MalformedRequest."""
        authority = request.authority
        target = request.target if self._is_in_tunnel(request) else f"{request.scheme}://{authority}{request.target}"
        lines = [f"{question.method} {target} HTTP/1.1"]
        if "host" not in question.fields:
            lines.append(f"Host: {authority}")
        lines += [f"{name}: {value}" for name, value in question.fields]
        data = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        forwarding = self._frontend.forwarding
        if forwarding is None:
            return parse(data)
        data, client = forwarding.from_head(data, OWN_MACHINE)
        return parse(data, client)

    def _refused(self, fault: MalformedRequest) -> Explanation:
        service = self._frontend.service
        errors = ErrorReplies(lambda: service.policy, service.clock, Counters())  # it counts, but nobody was refused
        reply = fault.reply(errors)
        text = text_of(fault.reason)
        steps = (Step("refuse", str(fault), text.source),)
        return Explanation(steps, "refuse", fault.reason, reply.head)
