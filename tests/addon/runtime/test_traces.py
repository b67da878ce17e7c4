"""Spans: one for each request, one for the origin's part, in the trace that the client has begun."""

from __future__ import annotations

import re
import sys

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from addon.config.traces import TracesSettings
from addon.runtime import traces as module
from addon.runtime.traces import Traces
from cache.http.messages import Fields, Request
from tests.addon.frontend.front_end import FrontEndUnderTest, get, run_conversation
from tests.addon.frontend.http2.http2_client import http2_client
from tests.fixtures.raw_origin import HEAD, OK, Peer, RawOrigin, Script

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_SAMPLED = f"{PARENT[:-2]}00"
FRESH = b"%bContent-Length: 2\r\nCache-Control: max-age=60\r\n\r\nok" % HEAD
ON = {"endpoint": "http://127.0.0.1:1/v1/traces"}


def records(parents: list[str], *replies: bytes) -> Script:
    async def script(peer: Peer) -> None:
        for reply in replies:
            found = re.search(rb"(?im)^traceparent: (.*)\r$", await peer.request())
            parents.append(found[1].decode() if found else "")
            await peer.send(reply)
        await peer.client_closed()

    return script


def exporting(front_end: FrontEndUnderTest) -> tuple[Traces, InMemorySpanExporter]:
    """Return traces in the place of those of a front end, and where their spans are."""
    assert front_end.connections.traces
    front_end.connections.traces.close()
    exporter = InMemorySpanExporter()
    traces = front_end.connections.traces = Traces(TracesSettings(), exporter)
    return traces, exporter


def spans(traces: Traces, exporter: InMemorySpanExporter) -> list[ReadableSpan]:
    traces.close()
    return list(exporter.get_finished_spans())


def test_a_miss_has_two_spans_in_the_clients_trace_and_a_hit_has_one() -> None:
    told: list[str] = []

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        traces, exporter = exporting(front_end)
        client = await front_end.client()
        for _ in range(2):
            await client.fetch(get(origin, "/a?secret", f"traceparent: {PARENT}", "tracestate: a=b"))
        part, miss, hit = spans(traces, exporter)
        assert {f"{span.context.trace_id:032x}" for span in (part, miss, hit) if span.context} == {PARENT[3:35]}
        assert miss.context
        assert part.context
        assert miss.parent
        assert part.parent
        assert f"{miss.parent.span_id:016x}" == PARENT[36:52]
        assert part.parent.span_id == miss.context.span_id
        assert told == [f"00-{PARENT[3:35]}-{part.context.span_id:016x}-01"]
        assert (miss.attributes or {})["secondhand.decision"] == "uri-miss"
        assert (hit.attributes or {})["secondhand.decision"] == "hit"
        assert str((hit.attributes or {})["url.full"]).endswith("/a?[hidden]")

    run_conversation(conversation, records(told, FRESH), traces=ON)


def test_over_http_2_a_trace_begins_without_a_context() -> None:
    told: list[str] = []

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        traces, exporter = exporting(front_end)
        client = await http2_client(front_end, origin)
        await client.fetch("/a")
        part, request = spans(traces, exporter)
        assert request.parent is None
        assert part.context
        assert told == [f"00-{part.context.trace_id:032x}-{part.context.span_id:016x}-01"]

    run_conversation(conversation, records(told, FRESH), traces=ON)


@pytest.mark.parametrize("given", [NOT_SAMPLED, "00-nonsense", "", f"{PARENT}-x"])
def test_every_context_leads_to_a_valid_one(given: str) -> None:
    exporter = InMemorySpanExporter()
    traces = Traces(TracesSettings(sample=0), exporter)
    marked = traces.begin(Request("GET", "http", "a.example", 80, "/", Fields((("traceparent", given),))))
    sent = marked.fields.get("traceparent") or ""
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", sent)
    assert (sent[3:35] == PARENT[3:35]) == (given == NOT_SAMPLED)
    assert spans(traces, exporter) == []


def test_a_request_without_an_end_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UNDER_WAY", 3)
    exporter = InMemorySpanExporter()
    traces = Traces(TracesSettings(), exporter)
    for _ in range(5):
        traces.begin(Request("GET", "http", "a.example", 80, "/"))
    assert len(spans(traces, exporter)) == 2


def test_without_the_setting_a_context_is_passed_on_unchanged() -> None:
    told: list[str] = []

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        await client.fetch(get(origin, "/a", f"traceparent: {PARENT}"))
        assert told == [PARENT]

    run_conversation(conversation, records(told, OK))


@pytest.mark.parametrize("missing", ["opentelemetry", "opentelemetry.exporter"])
def test_without_an_exporter_the_extra_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith("opentelemetry.exporter")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ValueError, match=r"secondhand\[otel\]"):
        TracesSettings.model_validate(ON)
