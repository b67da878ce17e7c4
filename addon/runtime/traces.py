"""Traces by OpenTelemetry: one span for each request, and one in it for the origin's part.

The origin gets the context in `traceparent` and `tracestate` (W3C Trace Context). A request that has a context already
goes on with that trace; its decision whether to sample counts. Spans are sent by a thread, and dropped if no collector
takes them.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from addon.config.redaction import redaction
from addon.config.traces import TracesSettings
from addon.runtime.access_log.logged_response import LoggedResponse, Sending
from addon.runtime.version import version_of
from cache.http.messages import Request

PARENT = "traceparent"

MAX_UNDER_WAY = 10_000
"""Requests with an open span; when there are more, the oldest one is ended. Its client has probably disconnected."""

EXPORT_TIMEOUT = 2.0
"""Seconds for the collector to take spans."""

SAMPLED = 1
"""The only flag of a context in version 00 (W3C Trace Context §3.2.2.5)."""

_NANOSECONDS = 1_000_000_000


class _ChosenIds(RandomIdGenerator):
    """Gives the next span a chosen id: that of an origin's part is told to the origin before the span is made."""

    chosen = 0

    def generate_span_id(self) -> int:
        chosen, self.chosen = self.chosen, 0
        return chosen or super().generate_span_id()


class Traces:
    """The spans of one process."""

    def __init__(self, settings: TracesSettings, exporter: SpanExporter | None = None) -> None:
        """Send spans where the settings say, or to another exporter."""
        self._ids = _ChosenIds()
        resource = Resource.create({"service.name": "secondhand", "service.version": version_of("secondhand")})
        sampler = ParentBased(TraceIdRatioBased(settings.sample))
        self._provider = TracerProvider(
            sampler=sampler, resource=resource, id_generator=self._ids, shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter or _exporter(settings.endpoint)))
        self._tracer = self._provider.get_tracer("secondhand")
        self._propagator = TraceContextTextMapPropagator()
        self._under_way: OrderedDict[str, tuple[Span, int]] = OrderedDict()

    def begin(self, request: Request) -> Request:
        """Begin the span of a request; return the request with the context that the origin gets."""
        given = {name: value for name in (PARENT, "tracestate") if (value := request.fields.get(name))}
        span = self._tracer.start_span(
            request.method, self._propagator.extract(given), kind=SpanKind.SERVER, attributes=_of_request(request)
        )
        context, origin_id = span.get_span_context(), secrets.randbits(63) + 1
        parent = f"00-{context.trace_id:032x}-{origin_id:016x}-{context.trace_flags & SAMPLED:02x}"
        if isinstance(span, Span):  # it is sampled
            self._under_way[parent] = span, origin_id
            if len(self._under_way) > MAX_UNDER_WAY:
                self._under_way.popitem(last=False)[1][0].end()
        return request.with_fields(request.fields.replacing(PARENT, parent))

    def end(self, response: LoggedResponse, sending: Sending, site: str = "") -> None:
        """End the span of a request whose response was sent, with that of the origin's part if there was one."""
        request = response.request
        found = self._under_way.pop(request.fields.get(PARENT) or "", None) if request is not None else None
        if found is None:
            return
        span, origin_id = found
        now = time.time_ns()
        upstream = sending.upstream
        seconds = None if upstream is None else upstream.whole if upstream.whole is not None else upstream.head
        if seconds is not None:
            self._ids.chosen = origin_id
            begun = max(span.start_time or now, now - int(seconds * _NANOSECONDS))
            parent, facts = set_span_in_context(span), _of_origin(response)
            part = self._tracer.start_span("origin", parent, kind=SpanKind.CLIENT, start_time=begun, attributes=facts)
            part.end(now)
        span.set_attributes(_of_response(response, sending, site))
        if response.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(now)

    def close(self) -> None:
        """Send the spans that are left; this takes a moment."""
        self._provider.shutdown()


def _exporter(endpoint: str) -> SpanExporter:
    session = requests.Session()
    session.trust_env = False  # a proxy that the environment names may be this one
    return OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_TIMEOUT, session=session)


def _of_request(request: Request) -> Mapping[str, str]:
    return {
        "http.request.method": request.method,
        "url.full": redaction.target(request.uri),
        "url.scheme": request.scheme,
        "server.address": request.host,
        "network.protocol.version": request.version.partition("/")[2],
    }


def _of_response(response: LoggedResponse, sending: Sending, site: str) -> Mapping[str, str | int]:
    found: dict[str, str | int] = {
        "http.response.status_code": response.status,
        "http.response.body.size": response.size,
        "client.address": sending.client,
        "secondhand.decision": response.decision,
        "secondhand.reason": response.reason,
        "secondhand.site": site,
        "secondhand.request_id": sending.id,
    }
    return {name: value for name, value in found.items() if value != ""}


def _of_origin(response: LoggedResponse) -> Mapping[str, str | int]:
    found: dict[str, str | int] = {}
    if response.request is not None:
        found["server.address"] = response.request.host
    if response.handling is not None and response.handling.fwd_status is not None:
        found["http.response.status_code"] = response.handling.fwd_status
    return found
