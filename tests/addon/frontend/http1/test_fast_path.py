"""The fast path adds to the same counters as the handler."""

from __future__ import annotations

import pytest

from addon.frontend.http1.fast_path import FastPath
from tests.addon.frontend.front_end import FrontEndUnderTest, get, run_conversation
from tests.fixtures.raw_origin import HEAD, RawOrigin, answering

FRESH = HEAD + b'Cache-Control: max-age=60\r\nETag: "1"\r\nContent-Length: 2\r\n\r\nok'
NO_STORE = HEAD + b"Date: Mon, 23 Nov 2026 12:00:00 GMT\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\nok"
NOT_MODIFIED = b'HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=60\r\nETag: "1"\r\n\r\n'

EXPECTED = {
    "requests": 8,
    "requests.http": 8,
    "answers.hit": 3,
    "hits": 3,
    "hits.http": 3,
    "octets.from_copy": 8,
    "answers.uri-miss": 4,
    "misses.uri-miss": 4,
    "stored": 1,
    "not_stored.no-store": 3,
    "answers.stale": 1,
    "validated": 1,
    "freshened": 1,
    "origin.fetches": 5,
    "origin.validations": 1,
    "octets.from_origin": 8,
}


@pytest.mark.parametrize("fast", [True, False], ids=["fast path", "handler"])
def test_hits_uncacheable_responses_and_a_validation_add_to_the_same_counters(
    fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not fast:
        monkeypatch.setattr(FastPath, "prepare", lambda *_, **__: None)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for _ in range(4):
            await client.fetch(get(origin, "/fresh"))
        assert len(front_end.fast_path.hot) == fast
        for path in ("/a", "/b", "/c"):
            await client.fetch(get(origin, path))
        assert front_end.fast_path.templates.response_template_count == fast
        front_end.clock.advance(61)
        assert (await client.fetch(get(origin, "/fresh"))).status == 203
        counters = front_end.service.counters.snapshot()
        assert {name: count for name, count in counters.items() if count} == EXPECTED

    run_conversation(conversation, answering(FRESH, NO_STORE, NO_STORE, NO_STORE, NOT_MODIFIED))
