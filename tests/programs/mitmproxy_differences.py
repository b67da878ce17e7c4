"""The differences that the cache makes to mitmproxy, all of them: nothing else may differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tests.programs.echo_origin import SeenRequest
from tests.programs.mitmproxy_runs import Got, Lines, Seen, SeenFlow

OF_RESPONSES = {
    "via": "the cache names itself",
    "cache-status": "how the cache took part",
    "age": "how old the copy is",
    "date": "the time of the origin's response, which a copy keeps",
    "accept-ranges": "a copy can be sent in parts",
    "connection": "a field of the hop to the origin",
    "keep-alive": "a field of the hop to the origin",
    "transfer-encoding": "a copy has a length",
    "content-length": "a copy has a length",
}
"""Fields of a response that may differ, each with the reason."""

OF_REQUESTS = {"via": "the cache names itself", "if-none-match": "the origin is asked to confirm a copy"}
"""Fields of a request to the origin that may differ, each with the reason."""


def client_view(got: Got) -> tuple[object, ...]:
    """Return what must be equal in a client's response. A 203 says that a 200 is a copy, or was changed on the way."""
    return _status(got.status), _others(got.fields, OF_RESPONSES), got.content, got.error


def origin_view(requests: Iterable[SeenRequest]) -> set[tuple[object, ...]]:
    """Return what must be equal in the requests that an origin received, in no order."""
    return {(each.method, each.target, _others(each.fields, OF_REQUESTS), each.content) for each in requests}


def flow_view(flow: SeenFlow, *, contents: bool) -> tuple[object, ...]:
    """Return what must be equal in the flow file. Comments, marks and metadata of the cache are added to it.

    Without `contents`, a copy's content may be in the file, which mitmproxy does not keep of a streamed response.
    """
    return (
        flow.method,
        flow.url,
        _others(flow.request_fields, OF_REQUESTS),
        flow.request_content,
        _status(flow.status),
        _others(flow.response_fields, OF_RESPONSES),
        flow.content if contents else None,
        flow.error,
    )


def assert_only_known_differences(without: Seen, cached: Seen, *, contents: bool = True) -> None:
    """Compare two runs over the same traffic."""
    for number, (expected, got) in enumerate(zip(without.client, cached.client, strict=True), 1):
        assert client_view(got) == client_view(expected), f"response {number}: {got} instead of {expected}"
    assert not (added := origin_view(cached.origin) - origin_view(without.origin)), f"only with the cache: {added}"
    spared = ("secondhand; hit", "; collapsed")
    hits = sum(any(each in value for each in spared) for got in cached.client for _, value in got.fields)
    assert len(cached.origin) == len(without.origin) - hits, f"{cached.origin} instead of {without.origin}"
    flows, expected_flows = (
        Counter(flow_view(flow, contents=contents) for flow in seen.flows) for seen in (cached, without)
    )
    assert flows == expected_flows, f"{flows - expected_flows} instead of {expected_flows - flows}"
    assert "Traceback" not in cached.log, cached.log
    assert "rror in" not in cached.log.replace("Client TLS handshake failed", ""), cached.log


def _status(status: int) -> int:
    return 200 if status == 203 else status


def _others(fields: Lines, allowed: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name.lower(), value) for name, value in fields if name.lower() not in allowed))
